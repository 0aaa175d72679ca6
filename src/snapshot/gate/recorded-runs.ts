import { parseSignedCommit } from "../../git/commit-object.js";
import type { ObjectReader } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import { gitFailure, tryGit } from "../../git/run-git.js";
import { readRef } from "../../operation/read-ref.js";
import { mayDo } from "../../trust/policy.js";
import { verifySignature } from "../../trust/signature.js";
import type { TrustedLog } from "../../trust/trusted-log.js";
import { parseRunMessage, RUNS_REF, type RunRecord } from "../runs/run-record.js";

/** A run as a commit on refs/kai/runs tells of it. */
export interface RecordedRun {
  readonly id: string;
  readonly record: RunRecord;
  /** Why nobody has to believe it; null where a tester of the policy signed it for this repository. */
  whyUnproven(): Promise<string | null>;
}

/** The runs that say they were over a tree, the newest first, each read from its commit's raw bytes. What is no run is passed over. */
export async function* readRunsOf(
  { repository, reader, log }: { repository: Repository; reader: ObjectReader; log: TrustedLog },
  tree: string,
): AsyncGenerator<RecordedRun> {
  for (const id of await commitsMentioning(repository, `"tree":"${tree}"`)) {
    const commit = parseSignedCommit(await reader.read(id, "commit"), repository.objectFormat);
    const record = commit && parseRunMessage(commit.message);
    if (!commit || record?.tree !== tree) continue;
    const { payload, signature = Buffer.alloc(0) } = commit;
    yield {
      id,
      record,
      async whyUnproven() {
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
async function commitsMentioning(repository: Repository, text: string): Promise<string[]> {
  const args = ["rev-list", "--topo-order", "--encoding=UTF-8", "--fixed-strings", `--grep=${text}`, RUNS_REF, "--"];
  const out = await tryGit(repository, args);
  if (out.exitCode === 0) return out.stdout.toString().split("\n").filter(Boolean);
  if ((await readRef(repository, RUNS_REF)) === null) return [];
  throw gitFailure(args, out);
}
