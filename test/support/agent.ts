import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, onTestFinished } from "vitest";
import { createVersion } from "../../src/snapshot/gate/create-version.js";
import { generateKey, kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { initAgent } from "../../src/version/init.js";
import { parseNumber } from "../../src/version/number.js";
import { cleanEnvironment } from "./scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** When everything in a template was made: long before any test runs. */
const NOW = new Date("2026-03-02T09:00:00Z");

const KAI_YAML = `agent_id: ai.example.clerk
version_management:
  artifacts:
    state: {include: [state.json, memory.sqlite]}
`;

/** What a program printed and how it ended. A snapshot shows all three, with everything that is random made plain. */
export class Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status; the signal's name where one ended it. */
  readonly exit: number | string;
  readonly #dir: string;

  constructor(stdout: string, stderr: string, exit: number | string, dir: string) {
    this.stdout = stdout;
    this.stderr = stderr;
    this.exit = exit;
    this.#dir = dir;
  }

  /** The document that `--json` printed. */
  // biome-ignore lint/suspicious/noExplicitAny: a test states the shape that it looks at
  json(): any {
    return JSON.parse(this.stdout);
  }

  toString(): string {
    const text = [this.stdout.trimEnd(), this.stderr.trimEnd(), `[exit ${this.exit}]`]
      .filter((part) => part !== "")
      .join("\n");
    return text
      .replaceAll(this.#dir, "<agent>")
      .replace(/\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b/g, "<id>")
      .replace(/\b[0-9A-F]{40}\b/g, "<key>")
      .replace(/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g, "<operation>")
      .replace(/(?<=commit +)[0-9a-f]{10}\b/g, "<id>")
      .replace(/\b\d+(?:\.\d+)? (?:ms|s|days)\b/g, "<time>");
  }
}

expect.addSnapshotSerializer({ test: (value) => value instanceof Ran, serialize: (value: Ran) => value.toString() });

export interface Agent {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the program as it ships, in the agent's folder. */
  kai(...args: string[]): Promise<Ran>;
  /** Runs any program there. */
  run(file: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<Ran>;
  /** Runs git there and gives its stdout; throws where it fails. */
  git(...args: string[]): string;
  write(name: string, text: string | Buffer): void;
  remove(name: string): void;
  /** Commits all that is not ignored. */
  commit(message: string): void;
}

const templates = new Map<string, Promise<string>>();

afterAll(async () => {
  for (const base of await Promise.all(templates.values())) rmSync(base, { recursive: true, force: true });
});

/**
 * An agent whose `init` is done and whose `versions` were made in this order, each from a commit of its own; the last one is
 * in force. `logic.py` says its version; `state.json` is live state that git does not track. Removed when the test ends.
 */
export async function agentWithVersions(...versions: string[]): Promise<Agent> {
  const key = versions.join(" ");
  const known = templates.get(key) ?? buildTemplate(versions);
  templates.set(key, known);
  const agent = agentIn(copyOf(await known));
  onTestFinished(() => rmSync(path.dirname(agent.dir), { recursive: true, force: true, maxRetries: 3 }));
  return agent;
}

/** A copy of an agent as it is now, with its own home; the caller removes its base folder, `path.dirname(copy.dir)`. */
export const copyAgent = (agent: Agent): Agent => agentIn(copyOf(path.dirname(agent.dir)));

function copyOf(base: string): string {
  const copy = mkdtempSync(path.join(tmpdir(), "kai-agent-"));
  cpSync(base, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return copy;
}

async function buildTemplate(versions: readonly string[]): Promise<string> {
  const base = mkdtempSync(path.join(tmpdir(), "kai-agent-"));
  mkdirSync(path.join(base, "home"), { mode: 0o700 });
  mkdirSync(path.join(base, "clerk"));
  const agent = agentIn(base);
  const caller = { cwd: agent.dir, env: agent.env, now: () => NOW, progress: () => {}, onRecovered: () => {} };
  agent.git("init", "--quiet", "--initial-branch=main");
  agent.write(".gitignore", "state.json\nmemory.sqlite\n");
  agent.write("kai.yaml", KAI_YAML);
  agent.write("prompts/system.md", "You are a clerk.\n");
  agent.write("tools/search.json", '{"name": "search"}\n');
  agent.commit("feat: a clerk");
  const home = kaiHome(agent.env);
  await generateKey({ home, name: "Ada Agent", email: "ada@example.com", passphrase: undefined, at: NOW });
  const openOrMakeKey = async () => ({ signer: await openSigner({ home, env: agent.env }), made: false });
  await initAgent({ ...caller, openOrMakeKey }, { agentId: undefined, commit: true, newRoot: false });
  for (const version of versions) {
    agent.write("logic.py", `print("answer of ${version}")\n`);
    agent.write("prompts/system.md", `You are a clerk.\nYou answer as ${version} does.\n`);
    agent.write("state.json", `{"seen": "${version}"}\n`);
    agent.commit(`feat: answer as ${version} does`);
    await createVersion(caller, {
      type: undefined,
      bump: undefined,
      exact: parseNumber(version),
      description: undefined,
      tags: [],
      includeChanges: false,
      allowUnchanged: false,
      moveCurrent: true,
      trustCommands: false,
      dryRun: false,
    });
  }
  return base;
}

function agentIn(base: string): Agent {
  const dir = path.join(base, "clerk");
  const home = path.join(base, "home");
  const env = cleanEnvironment(home);
  const git: Agent["git"] = (...args) =>
    execFileSync("git", args, { cwd: dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
  const run: Agent["run"] = (file, args, more = {}) =>
    new Promise((resolve, reject) => {
      const options = { cwd: dir, env: { ...env, ...more }, encoding: "utf8", maxBuffer: 1 << 26 } as const;
      const child = execFile(file, [...args], options, (error, stdout, stderr) => {
        if (error && typeof error.code !== "number" && !error.signal) return reject(error);
        resolve(new Ran(stdout, stderr, error?.signal ?? Number(error?.code ?? 0), dir));
      });
      child.stdin?.end();
    });
  return {
    dir,
    env,
    kai: (...args) => run(process.execPath, [PROGRAM, ...args]),
    run,
    git,
    write(name, text) {
      const file = path.join(dir, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    remove: (name) => rmSync(path.join(dir, name), { recursive: true }),
    commit(message) {
      git("add", "--all");
      git("commit", "--quiet", "--allow-empty", "-m", message);
    },
  };
}
