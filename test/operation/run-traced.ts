import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const TRACER = fileURLToPath(new URL("kill_points.py", import.meta.url));
const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** What happens at a call: processes are killed before it runs, or it fails with an error of the system. */
export type Blow = "all" | "first" | "caller" | "ENOSPC" | "EIO" | "EACCES" | "EROFS";

/** The call by its number (from 1), or so many calls behind the first whose `program call path` matches. */
export type Strike = { readonly blow: Blow } & (
  | { readonly at: number }
  | { readonly match: string; readonly after?: number }
);

/** The log's lock file renamed into place: before this call nothing has happened, after it all of it has. */
export const COMMIT_POINT = "rename\\S* \\S*/refs/kai/log$";

export interface Traced {
  readonly stdout: string;
  readonly stderr: string;
  /** 137 where SIGKILL ended the program. */
  readonly exit: number;
  /** Each writing call below the agent's folder: program, call, path. */
  readonly calls: readonly string[];
  /** The number and name of the call that was struck. */
  readonly struck: string;
}

/**
 * Runs our program in `dir` with every writing system call of it and its children counted; at call `at`, `blow` strikes. What
 * each call was to do is written to the file `record`.
 */
export function runTraced(
  agent: { dir: string; env: NodeJS.ProcessEnv },
  args: readonly string[],
  strike?: Strike,
  record?: string,
): Promise<Traced> {
  const report = path.join(path.dirname(agent.dir), "calls.json");
  rmSync(report, { force: true });
  const struck = strike ? [...placeOf(strike), "--do", strike.blow] : [];
  const traced = [
    TRACER,
    "--below",
    agent.dir,
    ...struck,
    ...(record === undefined ? [] : ["--record", record]),
    "--report",
    report,
    "--",
    process.execPath,
    PROGRAM,
    ...args,
  ];
  return new Promise((resolve, reject) => {
    const options = { cwd: agent.dir, env: agent.env, encoding: "utf8" } as const;
    execFile("python3", traced, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") return reject(error);
      if (!existsSync(report)) return reject(new Error(`the tracer failed: ${stderr}`));
      const { names, fired } = JSON.parse(readFileSync(report, "utf8")) as { names: string[]; fired: number };
      const struck = fired > 0 ? `call ${fired} (${names[fired - 1]})` : "no call";
      resolve({ stdout, stderr, exit: Number(error?.code ?? 0), calls: names, struck });
    });
  });
}

const placeOf = (strike: Strike): string[] =>
  "at" in strike ? ["--at", String(strike.at)] : ["--match", strike.match, "--after", String(strike.after ?? 0)];
