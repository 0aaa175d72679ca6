import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { startAgent } from "../../src/system/agent-process.js";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark, lifecycleCommands } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/**
 * Counts in lockstep: each turn first goes into state.json, then into its database. It tells what it found when it was started,
 * and ends behind a whole turn, or in the middle of one where the file `torn` is there. While it runs it has a lease, whose time
 * lies ahead: so no capture takes what it has for still, however slowly it gets to its turns.
 */
const PROGRAM = `import json, os, signal, sqlite3, time
ending = False
def end(*_):
    global ending
    os.remove("lease")
    if os.path.exists("../torn"): os._exit(0)
    ending = True
signal.signal(signal.SIGTERM, end)
with open("lease", "w"): os.utime("lease", (4102444800, 4102444800))
memory = sqlite3.connect("memory.sqlite", isolation_level=None)
memory.execute("create table if not exists turns (n)")
turn = memory.execute("select count(*) from turns").fetchone()[0]
with open("../started", "a") as file: file.write(f"{os.getpid()} at {turn}\\n")
while not ending:
    turn += 1
    with open("../state.new", "w") as file: json.dump({"turns": turn}, file)
    os.rename("../state.new", "state.json")
    memory.execute("insert into turns values (?)", (turn,))
    with open("../turned", "w") as file: file.write(str(turn))
    time.sleep(0.001)
`;

const KAI_YAML = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json, memory.sqlite, lease]}}}
`;

/** The process that was started last. */
const LAST = "$(tail -n 1 ../started | cut -d ' ' -f 1)";

/** It waits for the end, so that whatever follows happens while the agent stands still. */
export const STOP = `kill ${LAST}; while kill -0 ${LAST}; do sleep 0.01; done`;
const START = "exec python3 agent.py";
const HEALTH = `kill -0 ${LAST}`;

/** The lifecycle of kai.yaml. */
export const lifecycle = (commands: Readonly<Record<string, string>> = {}): string =>
  `lifecycle: ${JSON.stringify(
    Object.fromEntries(
      Object.entries({ stop: STOP, start: START, health: HEALTH, ...commands }).map(([name, run]) => [name, { run }]),
    ),
  )}\n`;

export interface CountingAgent extends Agent {
  /** Starts it as kai.yaml says, and waits until it has counted. */
  start(): Promise<void>;
  /** Starts it as somebody does who knows nothing of us. */
  startByHand(): Promise<void>;
  /** Its processes that were started by kai.yaml. */
  running(): Promise<number[]>;
  /** The processes that ever counted, with the turn at which each began. */
  started(): { readonly id: number; readonly at: number }[];
  /** What a capture has of either. */
  captured(tag: string): { readonly file: number; readonly database: number };
}

/** The agent, with this in its kai.yaml beside its state; nothing runs yet, and no version is made. */
export async function countingAgent(more = lifecycle()): Promise<CountingAgent> {
  const agent = await agentWithVersions();
  agent.write(".gitignore", "state.json\nmemory.sqlite*\nlease\n");
  agent.write("agent.py", PROGRAM);
  agent.write("kai.yaml", `${KAI_YAML}${more}`);
  agent.commit("feat: count");
  const at = (name: string) => path.join(agent.dir, name);
  const { repo } = entryAt(agent, "refs/kai/log");
  const mark = agentMark(repo, agent.dir);
  onTestFinished(async () => {
    await endMarked(mark, 0);
  });
  const turned = async () => {
    while (!existsSync(at("../turned"))) await new Promise(setImmediate);
  };
  return {
    ...agent,
    async start() {
      const config = parseAgentConfig(readFileSync(at("kai.yaml"), "utf8"), "kai.yaml");
      const situation = { deployment: null, version: null, from: null, to: null, operation: "" };
      const { start } = lifecycleCommands(config.lifecycle, {
        ...situation,
        cwd: agent.dir,
        commonDir: at(".git"),
        repo,
      });
      if (start === null) throw new Error("nothing starts it");
      const { ok, error } = await startAgent(start, { env: agent.env });
      if (!ok) throw new Error(`it does not start: ${error}`);
      await turned();
    },
    async startByHand() {
      const child = spawn("python3", ["agent.py"], { cwd: agent.dir, env: agent.env, stdio: "ignore" });
      const ended = once(child, "close");
      onTestFinished(async () => {
        child.kill("SIGKILL");
        await ended;
      });
      await turned();
    },
    running: async () => (await listMarked(mark)).map(({ id }) => id),
    started: () =>
      readFileSync(at("../started"), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" at ").map(Number))
        .map(([id = 0, turn = 0]) => ({ id, at: turn })),
    captured(tag) {
      const { files } = JSON.parse(agent.git("cat-file", "blob", `refs/kai/state/${tag}:capture.json`));
      const bytes = (name: string): Buffer => {
        const number = files.findIndex((file: { path: string }) => file.path === name);
        return execFileSync("git", ["cat-file", "blob", `refs/kai/state/${tag}:files/${number}`], {
          cwd: agent.dir,
          env: agent.env,
          maxBuffer: 1 << 28,
        });
      };
      const copy = at("../captured.sqlite");
      rmSync(copy, { force: true });
      writeFileSync(copy, bytes("memory.sqlite"));
      const counted = execFileSync("sqlite3", [copy, "select count(*) from turns"], { encoding: "utf8" });
      return { file: JSON.parse(bytes("state.json").toString()).turns, database: Number(counted) };
    },
  };
}

/** The same with 1.0.0 made of it while it stood still, and running. */
export async function runningAgent(more?: string): Promise<CountingAgent> {
  const agent = await countingAgent(more);
  await told(agent, "create", "--as", "1.0.0");
  await agent.start();
  return agent;
}
