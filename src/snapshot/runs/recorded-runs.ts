import { parseSignedCommit } from "../../git/commit-object.js";
import type { ObjectReader } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import { gitFailure, tryGit } from "../../git/run-git.js";
import { readRef } from "../../operation/read-ref.js";
import { mayDo } from "../../trust/policy.js";
import { verifySignature } from "../../trust/signature.js";
import type { TrustedLog } from "../../trust/trusted-log.js";
import { parseRunMessage, RUNS_REF, type RunRecord } from "./run-record.js";

/** A run as a commit on refs/kai/runs tells of it. */
export interface RecordedRun {
  /** The commit's. */
  readonly id: string;
  readonly record: RunRecord;
  /** Why nobody has to believe it; null where a tester of the policy signed it for this repository. */
  whyUnproven(): Promise<string | null>;
}

export interface RunsGround {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  /** Or why nobody is known who could have signed. */
  readonly log: TrustedLog | string;
}

/** The runs that say they were over a tree, the newest first. */
export async function* readRunsOf(ground: RunsGround, tree: string): AsyncGenerator<RecordedRun> {
  for await (const run of readRuns(ground, `"tree":"${tree}"`)) if (run.record.tree === tree) yield run;
}

/** No record comes near that; what is cut there is none. */
const LARGEST = 64 * 1024 * 1024;

/**
 * The runs in whose record that text stands somewhere, or all, the newest first, each read from its commit's raw bytes. What is no run is
 * passed over.
 */
export async function* readRuns(ground: RunsGround, mentioning?: string): AsyncGenerator<RecordedRun> {
  const { repository, reader, log } = ground;
  for (const id of await commitsMentioning(repository, mentioning)) {
    const commit = parseSignedCommit(await reader.read(id, "commit", LARGEST), repository.objectFormat);
    const record = commit && parseRunMessage(commit.message);
    if (!commit || !record) continue;
    const { payload, signature = Buffer.alloc(0) } = commit;
    yield {
      id,
      record,
      async whyUnproven() {
        if (typeof log === "string") return log;
        const { outcome, key = "" } = await verifySignature({ payload, signature, keys: log.keys, strict: true });
        if (outcome === "unsigned") return "nobody signed it";
        if (outcome !== "good") return `its signature is ${outcome}`;
        if (!mayDo(log.policy, key, "tester")) return `the key ${key} that signed it is no tester`;
        if (record.actor?.key !== key) return "it names another key than the one that signed it";
        return record.repo === log.entry.repo ? null : "it was made for another repository";
      },
    };
  }
}

/** By their order in the chain, and not by the times that they tell. */
async function commitsMentioning(repository: Repository, text: string | undefined): Promise<string[]> {
  const words = text === undefined ? [] : ["--encoding=UTF-8", "--fixed-strings", `--grep=${text}`];
  const args = ["rev-list", "--topo-order", ...words, RUNS_REF, "--"];
  const out = await tryGit(repository, args);
  if (out.exitCode === 0) return out.stdout.toString().split("\n").filter(Boolean);
  if ((await readRef(repository, RUNS_REF)) === null) return [];
  throw gitFailure(args, out);
}
