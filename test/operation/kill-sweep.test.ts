import { readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { callsOf, type Scenario, sample, sweep } from "./kill-sweep.js";
import { type Blow, COMMIT_POINT, type Strike } from "./run-traced.js";

/** `all` tries every call, hours long; a number, so many of each command by each blow. */
const WANTED = process.env["KAI_SWEEP"];
const SEED = 20260302;

async function readyAgent(...versions: string[]): Promise<Agent> {
  const agent = await agentWithVersions(...versions);
  agent.write("notes to self.txt", "untracked\n");
  agent.write("state.json", '{"seen": "live"}\n');
  return agent;
}

async function rollbackScenario(): Promise<Scenario> {
  const agent = await readyAgent("1.0.0", "1.1.0");
  agent.remove("tools");
  agent.write("tools", "a file where a folder was\n");
  agent.write("sub/deep/er.md", "new\n");
  agent.git("add", "tools", "sub");
  agent.git("commit", "--quiet", "-am", "refactor: move things about");
  return { name: "rollback", agent, args: ["rollback", "1.0.0"] };
}

const scenarios: Record<string, () => Promise<Scenario>> = {
  create: async () => {
    const agent = await readyAgent("1.0.0");
    await agent.run("sqlite3", ["memory.sqlite", "create table seen (what); insert into seen values (1);"]);
    agent.write("logic.py", "print('new')\n");
    agent.git("commit", "--quiet", "-am", "feat: a new answer");
    return { name: "create", agent, args: ["create"] };
  },
  "create --include-changes": async () => {
    const agent = await readyAgent("1.0.0");
    agent.write("logic.py", "print('not committed')\n");
    agent.write("prompts/more.md", "More.\n");
    return { name: "create --include-changes", agent, args: ["create", "--include-changes"] };
  },
  rollback: rollbackScenario,
  "rollback --force": async () => {
    const agent = await readyAgent("1.0.0", "1.1.0");
    agent.write("logic.py", "print('not committed')\n");
    return { name: "rollback --force", agent, args: ["rollback", "1.0.0", "--force"] };
  },
  undo: async () => {
    const agent = await readyAgent("1.0.0", "1.1.0");
    await agent.kai("rollback", "1.0.0");
    return { name: "undo", agent, args: ["undo"] };
  },
  deploy: () => deployScenario("1.2.0", "1.1.0"),
  "deploy, what is there": () => deployScenario("1.0.0", "1.1.0"),
  init: async () => {
    const agent = await readyAgent();
    for (const ref of ["refs/kai/log", "refs/notes/kai"]) agent.git("update-ref", "-d", ref);
    rmSync(path.join(agent.dir, ".git/kai"), { recursive: true });
    agent.git("rm", "--quiet", "--cached", "kai.yaml");
    agent.remove("kai.yaml");
    agent.git("commit", "--quiet", "-m", "chore: forget kai.yaml");
    return { name: "init", agent, args: ["init", "--yes"] };
  },
  "recover, not done": () => interrupted("recover, not done", 0),
  "recover, done": () => interrupted("recover, done", 1),
};

/** Two deployments are there, `from` the later one; a third makes the earlier one superfluous. */
async function deployScenario(to: string, from: string): Promise<Scenario> {
  const agent = await readyAgent("1.0.0", "1.1.0", "1.2.0");
  agent.write(".gitignore", "state.json\nmemory.sqlite\ndeployments\n");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: deployments, keep: 2}\n");
  agent.commit("chore: deploy here");
  for (const version of ["1.0.0", from]) await agent.kai("deploy", version);
  return {
    name: `deploy ${to}`,
    agent,
    args: ["deploy", to],
    own: {
      folder: "deployments/",
      async problems(struck, side) {
        const root = path.join(struck.dir, "deployments");
        const problems: string[] = [];
        const inForce = side === "before" ? from : to;
        const current = readlinkSync(path.join(root, "current"));
        if (current !== `versions/v${inForce}`) problems.push(`current leads to ${current}`);
        const told = readFileSync(path.join(root, "rollback.log"), "utf8").trimEnd().split("\n");
        const last = JSON.parse(told.at(-1) ?? "").to;
        if (told.length !== (side === "before" ? 2 : 3) || last !== inForce) problems.push(`told ${told.join("; ")}`);
        const others = readdirSync(root).filter((name) => !["current", "rollback.log", "versions"].includes(name));
        if (others.length > 0) problems.push(`left in the root: ${others.join(", ")}`);
        const versions = readdirSync(path.join(root, "versions"));
        for (const name of versions)
          await loadDeployment(path.join(root, "versions", name)).catch((cause) =>
            problems.push(`${name}: ${cause.message}`),
          );
        for (const version of [from, inForce])
          if (!versions.includes(`v${version}`)) problems.push(`${version} is gone`);
        return problems;
      },
    },
  };
}

/** `recover` over a rollback that was killed at its commit point, or one call later. */
async function interrupted(name: string, after: number): Promise<Scenario> {
  const { agent, args } = await rollbackScenario();
  return { name, agent, args: ["recover"], interrupt: { args, strike: { match: COMMIT_POINT, after, blow: "all" } } };
}

const REMOVAL = /^\S+ (unlink|unlinkat|rmdir) /;

function strikesOf(blow: Blow, count: number, calls: readonly string[], seed: number): Strike[] {
  if (WANTED === "all") return calls.map((_, index) => ({ at: index + 1, blow }));
  // No file system is too full to remove a name, and a name that cannot be removed is left, whoever made it.
  const isError = blow === "ENOSPC" || blow === "EIO";
  const fit = calls.flatMap((call, index) => (isError && REMOVAL.test(call) ? [] : [index + 1]));
  const wanted = WANTED === undefined ? count : Number(WANTED);
  if (wanted === 0) return [];
  const sampled = sample(fit.length, wanted, seed).map((at) => ({ at: fit[at - 1] ?? 1, blow }));
  if (blow !== "all" || !calls.some((call) => new RegExp(COMMIT_POINT).test(call))) return sampled;
  // Whatever the sample: just before the commit point, just after it, and between the refs that follow.
  return [...sampled, ...[0, 1, 4].map((after) => ({ match: COMMIT_POINT, after, blow }))];
}

/** How many calls of each command are tried by each blow in the daily run; disk errors have tests of their own there. */
const BLOWS: readonly [Blow, number][] = [
  ["all", 3],
  ["first", 1],
  ["caller", 1],
  ["ENOSPC", 0],
  ["EIO", 0],
];

for (const [name, prepare] of Object.entries(scenarios)) {
  test(`${name}, struck at any call that writes, happened whole or not at all`, { timeout: 3_600_000 }, async () => {
    const scenario = await prepare();
    const calls = await callsOf(scenario);
    const lines: string[] = [];
    const failures: string[] = [];
    for (const [number, [blow, count]] of BLOWS.entries()) {
      const result = await sweep(scenario, strikesOf(blow, count, calls, SEED + number));
      lines.push(`${blow} ${result.tried} (${result.before} before, ${result.after} after)`);
      failures.push(...result.failures);
    }
    process.stdout.write(`${name}, ${calls.length} calls, struck: ${lines.join("; ")}\n`);
    expect(failures).toEqual([]);
  });
}
