import { PLAIN_LOG } from "../../git/plain-log.js";
import type { Repository } from "../../git/repository.js";
import { gitFailure, tryGit } from "../../git/run-git.js";
import { readRef } from "../../operation/read-ref.js";
import { parseRunMessage, RUNS_REF, type RunRecord } from "./run-record.js";

/** A run, and the commit that holds it. */
export interface KeptRun extends RunRecord {
  readonly oid: string;
}

/** The runs that are kept, the newest first; with `mentioning` only those whose record has the text, such as a tree's id. */
export async function listRuns(
  repository: Repository,
  { mentioning, most }: { mentioning?: string; most?: number } = {},
): Promise<KeptRun[]> {
  const filter = mentioning === undefined ? [] : ["--fixed-strings", `--grep=${mentioning}`];
  const count = most === undefined ? [] : [`--max-count=${most}`];
  const args = [...PLAIN_LOG, ...filter, ...count, "-z", "--format=%H%n%B", RUNS_REF, "--"];
  const out = await tryGit(repository, args);
  if (out.exitCode !== 0) {
    if ((await readRef(repository, RUNS_REF)) === null) return [];
    throw gitFailure(args, out);
  }
  return out.stdout
    .toString()
    .split("\0")
    .flatMap((text) => {
      const end = text.indexOf("\n");
      const record = parseRunMessage(text.slice(end + 1));
      return record ? [{ ...record, oid: text.slice(0, end) }] : [];
    });
}
