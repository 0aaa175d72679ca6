import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, onTestFinished } from "vitest";
import { startAgent } from "../../src/system/agent-process.js";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { type Agent, agentWithVersions, copyAgent } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";
import { entryAt, hasGitFile } from "./observe.js";

/**
 * The agent that runs: it says what it found when it was started, and adds a row of its own to its memory, which it keeps
 * open. It dies of SIGTERM without closing it, so that the write-ahead log stays hot.
 */
const PROGRAM = `import os, signal, sqlite3
def read(name):
    with open(name) as file: return file.read()
memory = sqlite3.connect("memory.sqlite", isolation_level=None)
memory.execute("pragma journal_mode=wal")
memory.execute("pragma wal_autocheckpoint=0")
rows = [row[0] for row in memory.execute("select what from seen where what not like 'agent %' order by rowid")]
found = read("logic.py") + read("state.json") + " ".join(rows)
memory.execute("insert into seen values (?)", (f"agent {os.getpid()}",))
for name, text in ("found", found), ("pid", str(os.getpid())):
    with open(f"../agent.{name}.new", "w") as file: file.write(text)
    os.rename(f"../agent.{name}.new", f"../agent.{name}")
while True: signal.pause()
`;

const LIFECYCLE = {
  stop: { run: "kill $(cat ../agent.pid); rm ../agent.pid", timeout: "10s" },
  start: { run: "exec python3 ../agent.py" },
  health: { run: "kill -0 $(cat ../agent.pid)", timeout: "2s", retries: 100 },
};

const KAI_YAML = `agent_id: ai.example.clerk
version_management:
  artifacts:
    state: {include: [state.json, memory.sqlite]}
`;

const WITH_LIFECYCLE = `lifecycle: ${JSON.stringify(LIFECYCLE)}
rollback_system:
  policies:
    - {name: whole, steps: [{type: stop_agent}, {type: backup_current}, {type: restore_data}, {type: start_agent}, {type: validate_rollback}]}
    - {name: quiet, steps: [{type: backup_current}, {type: restore_data}]}
`;

/** The live state of an agent: a file, and what its database says without the rows of agents that ran. */
export interface LiveState {
  readonly file: string | null;
  readonly rows: string | null;
}

const templates = new Map<string, Promise<Agent>>();

afterAll(async () => {
  for (const { dir } of await Promise.all(templates.values()))
    rmSync(path.dirname(dir), { recursive: true, force: true });
});

/**
 * Versions 1.0.0 and 1.1.0, the state of each captured, and live state that is newer than either in a database whose log is
 * hot. Nothing runs it. Removed when the test ends.
 */
export const agentWithMemory = (): Promise<Agent> => copyOf(KAI_YAML);

/** The same with lifecycle commands in both versions. */
export const agentWithLifecycle = (): Promise<Agent> => copyOf(KAI_YAML + WITH_LIFECYCLE);

async function copyOf(config: string): Promise<Agent> {
  const template = templates.get(config) ?? buildTemplate(config);
  templates.set(config, template);
  const agent = copyAgent(await template);
  onTestFinished(() => rmSync(path.dirname(agent.dir), { recursive: true, force: true, maxRetries: 3 }));
  return agent;
}

async function buildTemplate(config: string): Promise<Agent> {
  const agent = await agentWithVersions();
  writeFileSync(path.join(path.dirname(agent.dir), "agent.py"), PROGRAM);
  agent.write(".gitignore", "state.json\nmemory.sqlite*\n");
  agent.write("kai.yaml", config);
  sqlite(agent, "pragma journal_mode=wal; create table seen (what); insert into seen values ('none')");
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("answer of ${version}")\n`);
    agent.write("prompts/system.md", `You answer as ${version} does.\n`);
    setState(agent, version);
    await makeVersion(agent, version, `feat: answer as ${version} does`);
  }
  setState(agent, "live");
  // The template lives as long as its file of tests, not as the test that came first.
  return copyAgent(agent);
}

/** Writes live state; the database is left by a process that was killed, with its log hot. */
function setState(agent: Agent, what: string): void {
  agent.write("state.json", `{"seen": "${what}"}\n`);
  try {
    sqlite(agent, "pragma wal_autocheckpoint=0", `update seen set what = '${what}'`, ".shell kill -9 $PPID");
  } catch {
    // It was killed, as it was to be.
  }
  expect(existsSync(path.join(agent.dir, "memory.sqlite-wal"))).toBe(true);
}

const sqlite = (agent: Agent, ...words: string[]): string =>
  execFileSync("sqlite3", ["memory.sqlite", ...words], {
    cwd: agent.dir,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

/** What the live state says now. */
export function stateOf(agent: Agent): LiveState {
  const at = (name: string) => path.join(agent.dir, name);
  const file = existsSync(at("state.json")) ? readFileSync(at("state.json"), "utf8") : null;
  if (!existsSync(at("memory.sqlite"))) return { file, rows: null };
  const rows = lookUp(
    agent,
    "select what from seen where what not like 'agent %' order by rowid; pragma integrity_check",
  );
  return { file, rows: rows.replaceAll("\n", " ") };
}

/** Asks a copy of the database: whoever closes one last empties its log. */
function lookUp(agent: Agent, question: string): string {
  const copy = path.join(path.dirname(agent.dir), "copy.sqlite");
  for (const ending of ["", "-wal"]) {
    rmSync(copy + ending, { force: true });
    const original = path.join(agent.dir, `memory.sqlite${ending}`);
    if (existsSync(original)) copyFileSync(original, copy + ending);
  }
  return execFileSync("sqlite3", [copy, question], { encoding: "utf8" }).trim();
}

const markOf = (agent: Agent): string => agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir);

/** Starts the agent as the version in force says. */
export async function start(agent: Agent): Promise<void> {
  const command = (key: keyof typeof LIFECYCLE) => ({
    run: LIFECYCLE[key].run,
    cwd: agent.dir,
    timeoutMs: 20_000,
    env: {},
  });
  const started = await startAgent(
    {
      ...command("start"),
      agent: markOf(agent),
      log: path.join(agent.dir, ".git/kai/agent.log"),
      health: { ...command("health"), retries: 100 },
    },
    { env: agent.env },
  );
  expect(started.ok, started.error ?? "").toBe(true);
}

export async function end(agent: Agent): Promise<void> {
  if (hasGitFile(agent, "refs/kai/log")) await endMarked(markOf(agent), 0);
}

/** What is wrong with the running agent, which is to have found `expected` when it was started. */
export async function problemsOfRunning(agent: Agent, expected: string): Promise<string[]> {
  const base = path.dirname(agent.dir);
  const running = await listMarked(markOf(agent));
  const [one] = running;
  if (one === undefined || running.length > 1) return [`${running.length} agents run`];
  const text = (name: string) => readFileSync(path.join(base, name), "utf8");
  const problems: string[] = [];
  if (Number(text("agent.pid")) !== one.id) problems.push("another agent runs than the one that said it was well");
  if (text("agent.found") !== expected) problems.push(`the agent runs on ${text("agent.found")}`);
  const own = lookUp(agent, `select count(*) from seen where what = 'agent ${one.id}'`);
  if (own !== "1") problems.push("what the agent wrote since it runs is lost");
  return problems;
}

/** What the agent finds when it is started. */
export const foundBy = (agent: Agent, { file, rows }: LiveState): string =>
  readFileSync(path.join(agent.dir, "logic.py"), "utf8") + (file ?? "") + (rows ?? "").replace(/ ?ok$/, "");
