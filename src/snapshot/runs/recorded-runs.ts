import { parseSignedCommit } from "../../git/commit-object.js";
import { ObjectReader, type ReadObject } from "../../git/object-reader.js";
import type { Repository } from "../../git/repository.js";
import { tryGit } from "../../git/run-git.js";
import { mayDo } from "../../trust/policy.js";
import { verifySignature } from "../../trust/signature.js";
import type { TrustedLog } from "../../trust/trusted-log.js";
import { parseRunMessage } from "./parse-run.js";
import { RUNS_REF, type RunRecord } from "./run-record.js";
import { readRunsHead } from "./runs-head.js";

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
  /** Or why nobody is known who could have signed. */
  readonly log: TrustedLog | string;
  /** Is told of what is missing. */
  readonly onUnread?: ((message: string) => void) | undefined;
}

/** The runs that say they were over a tree, the newest first. */
export async function* readRunsOf(ground: RunsGround, tree: string): AsyncGenerator<RecordedRun> {
  for await (const run of readRuns(ground, `"tree":"${tree}"`)) if (run.record.tree === tree) yield run;
}

/** No record comes near that; what is cut there is none. */
const LARGEST = 64 * 1024 * 1024;

/**
 * The runs in whose record that text stands somewhere, or all, the newest first, each read from its commit's raw bytes. What is no run is
 * passed over, and so may be those without that text. E116 where refs/kai/runs is none.
 */
export async function* readRuns(ground: RunsGround, mentioning?: string): AsyncGenerator<RecordedRun> {
  const { repository, log } = ground;
  // One of its own: where git ends at a damaged object, nobody else's does.
  const reader = new ObjectReader(repository, { skipDamaged: true });
  try {
    for await (const { id, content } of readCommits(ground, reader, mentioning)) {
      const commit = parseSignedCommit(content, repository.objectFormat);
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
  } finally {
    reader.close();
  }
}

/** By their order in the chain, and not by the times that they tell. */
async function* readCommits(
  ground: RunsGround,
  reader: ObjectReader,
  text: string | undefined,
): AsyncGenerator<ReadObject> {
  const { repository, onUnread } = ground;
  const words = text === undefined ? [] : ["--encoding=UTF-8", "--fixed-strings", `--grep=${text}`];
  const out = await tryGit(repository, ["rev-list", "--topo-order", ...words, `${RUNS_REF}^{commit}`, "--"]);
  if (out.exitCode !== 0) return yield* readFromHead(ground, reader);
  for (const id of out.stdout.toString().split("\n").filter(Boolean)) {
    const commit = await reader.find(id, LARGEST);
    if (commit?.type === "commit") yield commit;
    else onUnread?.(`The run's record ${id} cannot be read.`);
  }
}

/** As far as they are there: where one is missing git tells of none. */
async function* readFromHead({ repository, onUnread }: RunsGround, reader: ObjectReader): AsyncGenerator<ReadObject> {
  let id = await readRunsHead(repository);
  while (id !== null) {
    const commit = await reader.find(id, LARGEST);
    if (commit?.type !== "commit") {
      onUnread?.(`What was run before is not told: ${id} of ${RUNS_REF} is missing or damaged.`);
      return;
    }
    yield commit;
    id = PARENT.exec(commit.content.subarray(0, BEFORE_AUTHOR).toString("latin1"))?.[1] ?? null;
  }
}

const PARENT = /^tree [0-9a-f]+\nparent ([0-9a-f]+)\n/;
/** Bytes of the lines of tree and parent, also with SHA-256. */
const BEFORE_AUTHOR = 160;
