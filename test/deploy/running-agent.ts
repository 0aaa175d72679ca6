import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** A kai.yaml that starts the agent of its version. */
export const LIFECYCLE = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json]}}}
deploy: {root: ../deployed, keep: 3}
lifecycle:
  start: {run: python3 -c 'import logic' && exec ./run.sh, timeout: 20s}
  health: {run: 'test -e "$KAI_DEPLOYMENT/well-$KAI_VERSION"', timeout: 5s, retries: 4}
`;

/** An agent that says when it starts and stops, and where `current` led then. */
export const RUN = `#!/bin/sh
say() { echo "$KAI_VERSION $1, current $(readlink "$KAI_DEPLOYMENT/current")" >> "$KAI_DEPLOYMENT/events"; }
trap 'say stops; rm -f "$KAI_DEPLOYMENT/well-$KAI_VERSION"; exit 0' TERM
say starts
touch "$KAI_DEPLOYMENT/well-$KAI_VERSION"
while :; do sleep 0.05; done
`;

export interface Running {
  readonly agent: Agent;
  readonly root: string;
  version(number: string, files: Readonly<Record<string, string>>): Promise<void>;
  events(): string[];
  /** The processes of this version's deployment that run. */
  processes(number: string): Promise<number[]>;
  /** How many they are. */
  running(number: string): Promise<number>;
  /** Kills them. */
  endAll(number: string): Promise<unknown>;
  /** Which versions have an agent that runs. */
  versionsThatRun(): Promise<string[]>;
}

/** An agent without a deployment; what its versions start is ended when the test ends. */
export async function runningAgent(): Promise<Running> {
  const agent = await agentWithVersions("0.9.0");
  const root = path.join(path.dirname(agent.dir), "deployed");
  const mark = (number: string) =>
    agentMark(entryAt(agent, "refs/kai/log").repo, path.join(root, `versions/v${number}`));
  const made: string[] = [];
  onTestFinished(async () => {
    for (const number of made) await endMarked(mark(number), 100);
  });
  return {
    agent,
    root,
    async version(number, files) {
      for (const [name, text] of Object.entries(files)) agent.write(name, text);
      if ("run.sh" in files) chmodSync(path.join(agent.dir, "run.sh"), 0o755);
      agent.commit(`feat: ${number}`);
      const created = await agent.kai("create", "--as", number);
      expect([created.exit, created.stderr]).toEqual([0, ""]);
      made.push(number);
    },
    events: () => readFileSync(path.join(root, "events"), "utf8").trimEnd().split("\n"),
    processes: async (number) => (await listMarked(mark(number))).map(({ id }) => id),
    running: async (number) => (await listMarked(mark(number))).length,
    endAll: (number) => endMarked(mark(number), 0),
    async versionsThatRun() {
      const running: string[] = [];
      for (const number of made) if ((await listMarked(mark(number))).length > 0) running.push(number);
      return running;
    },
  };
}

/** Runs a command and sends a signal to it alone, not to what it started, once the last event is this. What it ends by. */
export async function signalledAt(
  { agent, events }: Running,
  args: readonly string[],
  event: string,
  signal: NodeJS.Signals = "SIGKILL",
): Promise<NodeJS.Signals | null> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  await expect.poll(() => events().at(-1), { timeout: 20_000 }).toBe(event);
  child.kill(signal);
  const [, by] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return by;
}
