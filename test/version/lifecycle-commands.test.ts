import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { lifecycleCommands } from "../../src/version/lifecycle-commands.js";

const SITUATION = {
  cwd: "/agents/clerk",
  deployment: null,
  version: "1.2.0",
  from: "1.2.0",
  to: "1.1.0",
  operation: "01JKZZZZZZZZZZZZZZZZZZZZZZ",
  commonDir: "/agents/clerk/.git",
  repo: "0123456789abcdef0123456789abcdef",
};

const lifecycleOf = (yaml: string) => parseAgentConfig(`agent_id: ai.example.clerk\n${yaml}`, "kai.yaml").lifecycle;

test("a command is run in the agent's folder, for its time, and told which versions it stands between", () => {
  const lifecycle = lifecycleOf(`
lifecycle:
  stop: {run: ./stop}
  start: {run: ./start, timeout: 1m30s}
  health: {run: ./health, timeout: 2s, retries: 3}
  migrate: {run: "python3 migrate.py $KAI_FROM $KAI_TO"}`);
  const { agent, stop, start, health, install, migrate } = lifecycleCommands(lifecycle, SITUATION);
  const env = { KAI_VERSION: "1.2.0", KAI_FROM: "1.2.0", KAI_TO: "1.1.0", KAI_OPERATION: SITUATION.operation };
  expect(stop).toEqual({ run: "./stop", cwd: "/agents/clerk", timeoutMs: 30_000, env });
  expect(health).toEqual({ run: "./health", cwd: "/agents/clerk", timeoutMs: 2000, env, retries: 3 });
  expect(start).toEqual({
    run: "./start",
    cwd: "/agents/clerk",
    timeoutMs: 90_000,
    env,
    agent,
    log: "/agents/clerk/.git/kai/agent.log",
    health,
  });
  expect(migrate).toMatchObject({ timeoutMs: 120_000, env });
  expect(install).toBeNull();
});

test("in a deployment a command is told where that is, and what it prints goes there", () => {
  const lifecycle = lifecycleOf("lifecycle: {start: {run: ./start}}");
  const { start } = lifecycleCommands(lifecycle, { ...SITUATION, cwd: "/srv/versions/v1.2.0", deployment: "/srv" });
  expect(start).toMatchObject({ env: { KAI_DEPLOYMENT: "/srv", KAI_VERSION: "1.2.0" }, log: "/srv/agent.log" });
});

test("what kai.yaml does not name is not run, and what runs is told apart by repository and folder", () => {
  const lifecycle = lifecycleOf("");
  const here = lifecycleCommands(lifecycle, { ...SITUATION, version: null, from: null });
  expect(here).toMatchObject({ stop: null, start: null, health: null, install: null, migrate: null });
  const mark = (more: Partial<typeof SITUATION>) => lifecycleCommands(lifecycle, { ...SITUATION, ...more }).agent;
  expect(mark({ operation: "01JM0000000000000000000000", to: "1.0.0" })).toBe(here.agent);
  expect(new Set([here.agent, mark({ cwd: "/other/clerk" }), mark({ repo: "f".repeat(32) })]).size).toBe(3);
});

test("in a deployment a command is told where that is, writes nothing beside its modules, and its log is there", () => {
  const folder = { cwd: "/srv/clerk/versions/v1.2.0", deployment: "/srv/clerk" };
  const { start } = lifecycleCommands(lifecycleOf("lifecycle: {start: {run: ./start}}"), { ...SITUATION, ...folder });
  expect(start).toMatchObject({
    cwd: folder.cwd,
    env: { KAI_DEPLOYMENT: "/srv/clerk", PYTHONDONTWRITEBYTECODE: "1", KAI_VERSION: "1.2.0" },
    log: "/srv/clerk/agent.log",
  });
});
