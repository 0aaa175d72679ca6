import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { failureOf } from "../../src/cli/failure.js";
import { Output } from "../../src/cli/output.js";
import { Ran } from "../support/agent.js";
import { runHere } from "../support/run-here.js";

const PROGRAMS = fileURLToPath(new URL("../../bin", import.meta.url));

/** Any folder as a place to run git and the program in: a clone, a worktree, a bare repository. */
export interface Place {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  kai(...args: string[]): Promise<Ran>;
  /** Runs any program; `git kai-version` and `kai` are on its PATH. */
  run(file: string, args: readonly string[], options?: { env?: NodeJS.ProcessEnv; cwd?: string }): Promise<Ran>;
  /** Runs git and gives its stdout; throws where it fails. */
  git(...args: string[]): string;
  write(name: string, text: string | Buffer): void;
  commit(message: string): void;
}

export function placeAt(dir: string, env: NodeJS.ProcessEnv): Place {
  const all = { ...env, PATH: `${PROGRAMS}:${env["PATH"]}` };
  const git: Place["git"] = (...args) =>
    execFileSync("git", args, { cwd: dir, env: all, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trimEnd();
  const run: Place["run"] = (file, args, options = {}) =>
    new Promise((resolve, reject) => {
      const settings = { cwd: options.cwd ?? dir, env: { ...all, ...options.env }, maxBuffer: 1 << 26 };
      const child = execFile(file, [...args], { ...settings, encoding: "utf8" }, (error, stdout, stderr) => {
        if (error && typeof error.code !== "number" && !error.signal) return reject(error);
        resolve(new Ran(stdout, stderr, error?.signal ?? Number(error?.code ?? 0), dir));
      });
      child.stdin?.end();
    });
  return {
    dir,
    env: all,
    git,
    run,
    kai: (...args) => run(path.join(PROGRAMS, "git-kai-version"), args),
    write(name, text) {
      mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      writeFileSync(path.join(dir, name), text);
    },
    commit(message) {
      git("add", "--all");
      git("commit", "-q", "--allow-empty", "-m", message);
    },
  };
}

type Somewhere = Pick<Place, "dir" | "env">;

/** Runs a command with `--json` in this process, which saves the start of another one: its document and exit status. */
async function ranHere(place: Somewhere, args: readonly string[]) {
  let text = "";
  const keep = (part: string) => {
    text += part;
  };
  const output = new Output({
    json: true,
    quiet: false,
    color: false,
    columns: undefined,
    live: false,
    terminals: { stdout: false, stderr: false },
    stdout: (text) => keep(String(text)),
    stderr: () => {},
    pour: () => undefined,
  });
  const outer = process.exitCode;
  process.exitCode = undefined;
  try {
    await runHere(place, args, output);
    return { document: JSON.parse(text), exit: Number(process.exitCode ?? 0) };
  } catch (cause) {
    const failure = failureOf(cause, place.env);
    output.error(failure);
    return { document: JSON.parse(text), exit: failure.exit };
  } finally {
    process.exitCode = outer;
  }
}

/** Runs a command that must succeed, and gives the document that it prints. */
// biome-ignore lint/suspicious/noExplicitAny: a test states the shape that it looks at
export async function told(place: Somewhere, ...args: string[]): Promise<any> {
  const { document, exit } = await ranHere(place, args);
  if (exit !== 0) throw new Error(`${args.join(" ")} ended with ${exit}: ${JSON.stringify(document, null, 2)}`);
  return document;
}

/** What `verify` finds wrong, as `tag: code` lines sorted, the log's under `log`; it must exit with 1. */
export async function disproven(place: Somewhere, ...args: string[]): Promise<string[]> {
  const { document, exit } = await ranHere(place, ["verify", ...(args.length > 0 ? args : ["--all"])]);
  if (exit !== 1 || document.ok !== false)
    throw new Error(`verify ended with ${exit}: ${JSON.stringify(document, null, 2)}`);
  const lines = (name: string, problems: { code: string }[]) => problems.map(({ code }) => `${name}: ${code}`);
  return [
    ...document.versions.flatMap((each: { tag: string; problems: { code: string }[] }) =>
      lines(each.tag, each.problems),
    ),
    ...lines("log", document.log.problems),
  ].sort();
}

/** The error that a command must end with: its code, message, hint and exit status. */
export async function refused(
  place: Somewhere,
  ...args: string[]
): Promise<{ code: string; message: string; hint: string; exit: number }> {
  const { document, exit } = await ranHere(place, args);
  if (!document.error) throw new Error(`${args.join(" ")} ended with ${exit}: ${JSON.stringify(document, null, 2)}`);
  const { code, message, hint = "" } = document.error;
  return { code, message, hint, exit };
}

/** Every command that reads, each of which must succeed. */
export async function readEverything(place: Somewhere): Promise<void> {
  for (const args of [["list"], ["show", "current"], ["status"], ["current"], ["log"], ["verify", "--all", "--deep"]]) {
    await told(place, ...args);
  }
}

/** Creates, rolls back and undoes, and reads everything after the rollback. `next` must be the number that a feature asks for. */
export async function doEverything(place: Place, before: string, next: string): Promise<void> {
  place.write("logic.py", `print("answer of ${next}")\n`);
  place.commit(`feat: answer of ${next}`);
  expect(await told(place, "next")).toMatchObject({ required: "minor", next });
  expect(await told(place, "create")).toMatchObject({ version: next, parent: before });
  expect(await told(place, "compare", before, next)).toMatchObject({ from: before, to: next });
  expect(await told(place, "rollback", before)).toMatchObject({ from: next, to: before });
  expect(await told(place, "current")).toMatchObject({ version: before });
  await readEverything(place);
  expect(await told(place, "undo")).toMatchObject({ to: next });
  expect((await told(place, "recover")).recovered).toEqual([]);
  expect(place.git("status", "--porcelain")).toBe("");
}

/** All refs with their objects: the same text, the same repository. */
export const refsOf = (place: Pick<Place, "git">, ...under: string[]): string =>
  place.git("for-each-ref", "--format=%(refname) %(objectname)", ...under);
