import { KaiError } from "../error.js";
import { runProcess } from "./process.js";

export interface ProgramProbe {
  name: string;
  /** Undefined where it is not installed or does not run. */
  version: string | undefined;
}

const PATIENCE_MS = 10_000;

/** What version of itself each program tells with `--version`; all are asked at once. */
export function probePrograms(names: readonly string[], env: NodeJS.ProcessEnv): Promise<ProgramProbe[]> {
  return Promise.all(names.map(async (name) => ({ name, version: await versionOf(name, env) })));
}

async function versionOf(name: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const request = { file: name, args: ["--version"], env: { PATH: env["PATH"], HOME: env["HOME"], LC_ALL: "C" } };
    const { exitCode, stdout, stderr } = await runProcess({ ...request, timeoutMs: PATIENCE_MS });
    return exitCode === 0 ? parseVersion(stdout.toString() || stderr.toString()) : undefined;
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") return undefined;
    throw cause;
  }
}

/** The first thing in the text that looks like a version number, else its first line. */
export function parseVersion(text: string): string {
  return /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0] ?? text.split("\n")[0] ?? "";
}
