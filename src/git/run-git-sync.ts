import { spawnSync } from "node:child_process";
import { KaiError } from "../error.js";
import type { Repository } from "./repository.js";
import { gitFailure } from "./run-git.js";

/** As `runGit`, for the rare case in which whoever asks cannot wait: what a cache had is not what it was. */
export function runGitSync(repository: Repository, args: readonly string[], input = ""): Buffer {
  const { stdout, stderr, status, signal, error } = spawnSync("git", [...args], {
    cwd: repository.workTree ?? repository.gitDir,
    env: repository.env,
    input,
    maxBuffer: Number.POSITIVE_INFINITY,
  });
  if (error) throw new KaiError("E117", `git could not be run: ${error.message}`, { cause: error });
  if (status !== 0) throw gitFailure(args, { stderr, exitCode: status ?? undefined, signal: signal ?? undefined });
  return stdout;
}

/** The contents of these objects that are here, by id. */
export function readObjectsSync(repository: Repository, ids: readonly string[]): Map<string, Buffer> {
  const out = runGitSync(repository, ["cat-file", "--batch"], ids.map((id) => `${id}\n`).join(""));
  const contents = new Map<string, Buffer>();
  for (let start = 0; start < out.length; ) {
    const end = out.indexOf(10, start);
    const [id = "", , size] = out.toString("latin1", start, end).split(" ");
    start = end + 1;
    // `<id> missing` has none.
    if (size === undefined) continue;
    contents.set(id, out.subarray(start, start + Number(size)));
    start += Number(size) + 1;
  }
  return contents;
}
