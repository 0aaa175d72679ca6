import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, utimesSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";
import { deployedScenario, IN_A_ROOT } from "./deployed-agent.js";
import type { Scenario } from "./judge.js";
import { agentWithLifecycle, agentWithMemory, type LiveState, stateOf } from "./live-agent.js";
import { COMMIT_POINT } from "./run-traced.js";

const AHEAD = new Date("2100-01-01T00:00:00Z");

export type Prepare = () => Promise<Scenario>;

/** The commands that make and deploy versions. */
export const making: Readonly<Record<string, Prepare>> = {
  create: async () => {
    const agent = await agentWithMemory();
    agent.write("logic.py", "print('new')\n");
    agent.git("commit", "--quiet", "-am", "feat: a new answer");
    return { name: "create", agent, args: ["create"] };
  },
  "create, of an agent that is stopped for it": async () => {
    const agent = await agentWithLifecycle();
    agent.write("logic.py", "print('new')\n");
    agent.git("commit", "--quiet", "-am", "feat: a new answer");
    // Its time lies ahead, so that nobody can say whether it is written while it is captured.
    utimesSync(path.join(agent.dir, "state.json"), AHEAD, AHEAD);
    return { name: "create of a running agent", agent, args: ["create"], runs: true };
  },
  "create --include-changes": async () => {
    const agent = await readyAgent("1.0.0");
    agent.write("logic.py", "print('not committed')\n");
    agent.write("prompts/more.md", "More.\n");
    return { name: "create --include-changes", agent, args: ["create", "--include-changes"] };
  },
  init: async () => {
    const agent = await readyAgent();
    for (const ref of ["refs/kai/log", "refs/notes/kai"]) agent.git("update-ref", "-d", ref);
    rmSync(path.join(agent.dir, ".git/kai"), { recursive: true });
    agent.git("rm", "--quiet", "--cached", "kai.yaml");
    agent.remove("kai.yaml");
    agent.git("commit", "--quiet", "-m", "chore: forget kai.yaml");
    return { name: "init", agent, args: ["init", "--yes"] };
  },
  deploy: () => deployScenario("1.2.0", "1.1.0"),
  "deploy, what is there": async () => deployScenario("1.0.0", "1.1.0"),
  "deploy, of an agent that runs": async () => ({
    ...(await deployedScenario("deploy, blue-green", ["deploy", "1.1.0"], { deployed: ["1.0.0"], to: "1.1.0" })),
  }),
  promote: async () => ({
    name: "promote",
    agent: await readyAgent("1.0.0"),
    args: ["promote", "1.0.0", "production"],
  }),
  "state forget": async () => {
    const agent = await agentWithMemory();
    return { name: "state forget", agent, args: ["state", "forget", "1.0.0"] };
  },
};

/** Each way of going back, and back from that. */
export const goingBack: Readonly<Record<string, Prepare>> = {
  "rollback, version": rollbackScenario,
  "rollback, of many files": manyFiles,
  "rollback, version, of an agent that runs": async () => {
    const agent = await agentWithLifecycle();
    return {
      name: "rollback of a running agent",
      agent,
      args: ["rollback", "1.0.0"],
      runs: true,
      ...captured("1.0.0"),
    };
  },
  "rollback --force": async () => {
    const agent = await readyAgent("1.0.0", "1.1.0");
    agent.write("logic.py", "print('not committed')\n");
    return { name: "rollback --force", agent, args: ["rollback", "1.0.0", "--force"], ...file("1.0.0") };
  },
  "rollback, emergency": async () => {
    const agent = await agentWithLifecycle();
    const args = ["rollback", "1.0.0", "--type", "emergency"];
    return { name: "emergency", agent, args, runs: true, ...captured("1.0.0") };
  },
  "rollback, snapshot": async () => {
    const { agent, operation, stateAfter } = await rolledBack();
    const args = ["rollback", operation, "--type", "snapshot"];
    return { name: "snapshot", agent, args, runs: true, stateAfter };
  },
  "rollback, selective": async () => {
    const agent = await readyAgent("1.0.0", "1.1.0");
    return { name: "selective", agent, args: ["rollback", "1.0.0", "--component", "prompts"] };
  },
  "rollback, selective, state": async () => {
    const agent = await agentWithLifecycle();
    const args = ["rollback", "1.0.0", "--component", "state"];
    return { name: "selective, state", agent, args, runs: true, ...captured("1.0.0") };
  },
  "rollback, partial": async () => {
    const agent = await readyAgent("1.0.0", "1.1.0");
    return { name: "partial", agent, args: ["rollback", "1.0.0", "--path", "prompts/system.md"] };
  },
  "rollback, installing": async () => ({ ...(await installing()) }),
  "undo, putting back": async () => {
    const { agent, own } = await installing();
    expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
    return { name: "undo, putting back", agent, args: ["undo"], own: reversed(own) };
  },
  "rollback, of a deployment that runs": async () => ({
    ...(await deployedScenario("rollback, deployed", ["rollback", "1.0.0"], { deployed: ["1.1.0"], to: "1.0.0" })),
    ...file("1.0.0"),
  }),
  "undo, of the first deployment": async () => ({
    ...(await deployedScenario("undo, first deployment", ["undo"], { deployed: ["1.1.0"], to: null })),
  }),
  undo: async () => {
    const { agent, stateAfter } = await rolledBack();
    return { name: "undo", agent, args: ["undo"], runs: true, stateAfter };
  },
};

/** `recover` over each of them, killed at its commit point: before it and behind it. */
export const recovering: Readonly<Record<string, Prepare>> = {
  "recover, rollback not done": interrupted(rollbackScenario, 0),
  "recover, rollback done": interrupted(rollbackScenario, 1),
  "recover, running agent, done": interrupted(of(goingBack, "rollback, version, of an agent that runs"), 1),
  "recover, create done": interrupted(of(making, "create"), 1),
  "recover, deploy of an agent that runs, not done": interrupted(of(making, "deploy, of an agent that runs"), 0),
  "recover, deploy of an agent that runs, done": interrupted(of(making, "deploy, of an agent that runs"), 1),
  "recover, deploy done": interrupted(of(making, "deploy"), 1),
  "recover, undo done": interrupted(of(goingBack, "undo"), 1),
};

/** Commands of which all that is written is ours: what a running agent writes cannot be told apart from a replay. */
export const withoutProcesses: Readonly<Record<string, Prepare>> = {
  create: of(making, "create"),
  "rollback with state": async () => {
    const agent = await agentWithMemory();
    return { name: "rollback with state", agent, args: ["rollback", "1.0.0"], ...captured("1.0.0") };
  },
  "rollback, files and folders": rollbackScenario,
  "rollback, of many files": manyFiles,
  undo: async () => {
    const { agent, stateAfter } = await backWithMemory();
    return { name: "undo", agent, args: ["undo"], stateAfter };
  },
  "rollback, emergency": async () => {
    const agent = await agentWithMemory();
    const args = ["rollback", "1.0.0", "--type", "emergency"];
    return { name: "emergency", agent, args, ...captured("1.0.0") };
  },
  "rollback, selective": of(goingBack, "rollback, selective"),
  "rollback, partial": of(goingBack, "rollback, partial"),
  "rollback, snapshot": async () => {
    const { agent, stateAfter, operation } = await backWithMemory();
    return { name: "snapshot", agent, args: ["rollback", operation, "--type", "snapshot"], stateAfter };
  },
  deploy: of(making, "deploy"),
  init: of(making, "init"),
  "state forget": of(making, "state forget"),
};

function of(scenarios: Readonly<Record<string, Prepare>>, name: string): Prepare {
  const found = scenarios[name];
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

async function readyAgent(...versions: string[]): Promise<Agent> {
  const agent = await agentWithVersions(...versions);
  agent.write("notes to self.txt", "untracked\n");
  agent.write("state.json", '{"seen": "live"}\n');
  return agent;
}

const file = (version: string): { stateAfter: LiveState } => ({
  stateAfter: { file: `{"seen": "${version}"}\n`, rows: null },
});

const captured = (version: string): { stateAfter: LiveState } => ({
  stateAfter: { file: `{"seen": "${version}"}\n`, rows: `${version} ok` },
});

async function rollbackScenario(): Promise<Scenario> {
  const agent = await readyAgent("1.0.0", "1.1.0");
  agent.remove("tools");
  agent.write("tools", "a file where a folder was\n");
  agent.write("sub/deep/er.md", "new\n");
  agent.git("add", "tools", "sub");
  agent.git("commit", "--quiet", "-am", "refactor: move things about");
  return { name: "rollback", agent, args: ["rollback", "1.0.0"], ...file("1.0.0") };
}

/** So many that several processes write them, among them what says how they are written. */
async function manyFiles(): Promise<Scenario> {
  const agent = await agentWithVersions();
  for (const version of ["1.0.0", "1.1.0"]) {
    for (let index = 0; index < 110; index++)
      agent.write(`notes/part-${index % 5}/${index}.md`, `${version} ${index}\n`);
    agent.write("notes/.gitattributes", `*.md text eol=${version === "1.0.0" ? "crlf" : "lf"}\n`);
    await makeVersion(agent, version, `feat: notes of ${version}`);
  }
  return { name: "many files", agent, args: ["rollback", "1.0.0"], most: 60 };
}

/** An agent that nothing runs, and that learnt something since it went back by `operation`. */
async function backWithMemory(): Promise<{ agent: Agent; operation: string; stateAfter: LiveState }> {
  const agent = await agentWithMemory();
  const stateAfter = stateOf(agent);
  const ran = await agent.kai("rollback", "1.0.0", "--json");
  expect(ran.exit, String(ran)).toBe(0);
  agent.write("state.json", '{"seen": "since"}\n');
  return { agent, operation: ran.json().operation, stateAfter };
}

/** An agent that went back, and learnt something since; its state of before is kept with the operation. */
async function rolledBack(): Promise<{ agent: Agent; operation: string; stateAfter: LiveState }> {
  const agent = await agentWithLifecycle();
  const stateAfter = stateOf(agent);
  // A policy that starts no agent, which would outlive the preparation.
  const ran = await agent.kai("rollback", "1.0.0", "--json", "--policy", "quiet");
  expect(ran.exit, String(ran)).toBe(0);
  agent.write("state.json", '{"seen": "since"}\n');
  return { agent, operation: ran.json().operation, stateAfter };
}

type Own = NonNullable<Scenario["own"]>;

/** Going back replaces modules that are there, and in them somebody's work, by installed ones. */
async function installing(): Promise<Scenario & { readonly own: Own }> {
  const agent = await agentWithVersions();
  agent.write(".gitignore", "state.json\nmodules/\n");
  agent.write(
    "kai.yaml",
    `agent_id: ai.example.clerk\nlifecycle: {install: {run: "mkdir modules; cp deps.lock modules/"}}\n`,
  );
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("deps.lock", `${version}\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  agent.write("modules/deps.lock", "1.1.0\n");
  agent.write("modules/by hand", "work\n");
  const problems: Own["problems"] = async ({ dir }, side) => {
    const found: string[] = [];
    const modules = path.join(dir, "modules");
    const names = readdirSync(modules).sort().join(", ");
    const lock = readFileSync(path.join(modules, "deps.lock"), "utf8").trim();
    const expected = side === "before" ? "1.1.0: by hand, deps.lock" : "1.0.0: deps.lock";
    if (`${lock}: ${names}` !== expected) found.push(`the modules are ${lock}: ${names}`);
    const replaced = path.join(dir, ".git/kai/replaced");
    const kept = existsSync(replaced) ? readdirSync(replaced) : [];
    const work = kept.filter((name) => existsSync(path.join(replaced, name, "0/by hand")));
    if (work.length !== (side === "before" ? 0 : 1)) found.push(`the work is kept ${work.length} times`);
    return found;
  };
  return { name: "installing", agent, args: ["rollback", "1.0.0"], own: { folder: "modules/", problems } };
}

/** Of a command that takes the other back. */
const reversed = ({ folder, problems }: Own): Own => ({
  folder,
  problems: (agent, side) => problems(agent, side === "before" ? "after" : "before"),
});

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
        const others = readdirSync(root).filter((name) => !IN_A_ROOT.includes(name));
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

/** `recover` over a command that was killed at its commit point (0), or so many calls later. */
function interrupted(prepare: Prepare, after: number): Prepare {
  return async () => {
    const { args, name, ...scenario } = await prepare();
    const strike = { match: COMMIT_POINT, after, blow: "all" } as const;
    return { ...scenario, name: `recover, ${name}`, args: ["recover"], interrupt: { args, strike } };
  };
}
