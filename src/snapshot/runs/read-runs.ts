import { PLAIN_LOG } from "../../git/plain-log.js";
import type { Repository } from "../../git/repository.js";
import { gitFailure, tryGit } from "../../git/run-git.js";
import { readRef } from "../../operation/read-ref.js";
import { parseRunMessage, RUNS_REF, type RunRecord } from "./run-record.js";

/** The runs that are kept whose record has a text, such as a snapshot's id, the newest first. */
export async function listRuns(repository: Repository, mentioning: string): Promise<RunRecord[]> {
  const args = [...PLAIN_LOG, "--fixed-strings", `--grep=${mentioning}`, "-z", "--format=%B", RUNS_REF, "--"];
  const out = await tryGit(repository, args);
  if (out.exitCode !== 0) {
    if ((await readRef(repository, RUNS_REF)) === null) return [];
    throw gitFailure(args, out);
  }
  return out.stdout
    .toString()
    .split("\0")
    .flatMap((text) => {
      const record = parseRunMessage(text);
      return record ? [record] : [];
    });
}
