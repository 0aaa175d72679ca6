import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** How many git processes `work` starts, those of git itself included: each that hears of the variable writes a trace. */
export function countGitProcesses(work: (env: NodeJS.ProcessEnv) => void): number {
  const folder = mkdtempSync(path.join(tmpdir(), "kai-trace-"));
  try {
    work({ GIT_TRACE2_EVENT: folder });
    return readdirSync(folder)
      .flatMap((name) => readFileSync(path.join(folder, name), "utf8").split("\n"))
      .filter((line) => line.includes('"event":"start"')).length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
