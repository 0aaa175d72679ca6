import path from "node:path";
import { KaiError } from "../../error.js";
import { formatCommitPayload, formatSignedCommit } from "../../git/commit-object.js";
import { type GitObject, makeObject, makeTrees } from "../../git/object.js";
import { RefTransactions } from "../../git/ref-transaction.js";
import type { Repository } from "../../git/repository.js";
import type { Identity } from "../../git/signature-line.js";
import { type BlobSource, writeBlobs } from "../../git/write-blobs.js";
import { writeObjects } from "../../git/write-objects.js";
import { readRef } from "../../operation/read-ref.js";
import { syncObjectFolders } from "../../operation/sync-object-folders.js";
import type { Signer } from "../../trust/signer.js";
import { formatRunMessage, RUNS_REF, type RunRecord } from "./run-record.js";
import { readRunsHead } from "./runs-head.js";

export interface RunContent {
  readonly record: RunRecord;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Files that it made, by path (latin1). */
  readonly files: ReadonlyMap<string, { readonly mode: string; readonly source: BlobSource }>;
}

const TRIES = 20;
/** Of runs that nobody signs. */
const NOBODY: Identity = { name: "git kai-version", email: "run@localhost" };

/**
 * Appends a run to refs/kai/runs as one commit, signed where there is a signer, and gives its id. Runs that end at the same
 * moment follow one another: whoever comes second tries again on top of the first. `head` is what the ref was a while ago.
 */
export async function recordRun(
  repository: Repository,
  { record, stdout, stderr, files }: RunContent,
  signer: Signer | undefined,
  head: string | null,
): Promise<string> {
  const { objectFormat } = repository;
  const names = [...files.keys()];
  const began = Date.now();
  const ids = await writeBlobs(
    repository,
    names.map((name) => files.get(name)?.source ?? EMPTY),
  );
  const output = { stdout: makeObject("blob", stdout, objectFormat), stderr: makeObject("blob", stderr, objectFormat) };
  const { root, trees } = makeTrees(
    new Map([
      ["stdout", { mode: "100644", id: output.stdout.id }],
      ["stderr", { mode: "100644", id: output.stderr.id }],
      ...names.map((name, index): [string, { mode: string; id: string }] => [
        path.posix.join("artifacts", name),
        { mode: files.get(name)?.mode ?? "100644", id: ids[index] ?? "" },
      ]),
    ]),
    objectFormat,
    "latin1",
  );
  // No run is to name files that a loss of power took.
  if (names.length > 0) await syncObjectFolders(repository, began);
  let known: GitObject[] = [output.stdout, output.stderr, ...trees];
  let parent = head;
  for (let left = TRIES; ; left--) {
    const commit = await commitOf(repository, record, root.id, parent, signer);
    // It begins while the objects are written.
    const refs = new RefTransactions(repository, []);
    try {
      await writeObjects(repository, [...known, commit]);
      known = [];
      await refs.run([{ ref: RUNS_REF, old: parent, new: commit.id }]);
      return commit.id;
    } catch (cause) {
      const before = parent;
      parent = await readRef(repository, RUNS_REF);
      if (left > 1 && cause instanceof KaiError && parent !== before) continue;
      await readRunsHead(repository);
      throw cause;
    } finally {
      await refs.close();
    }
  }
}

const EMPTY: BlobSource = { size: 0, async *chunks() {} };

async function commitOf(
  { objectFormat }: Repository,
  record: RunRecord,
  tree: string,
  parent: string | null,
  signer: Signer | undefined,
): Promise<GitObject> {
  const at = new Date(record.at);
  const payload = formatCommitPayload({
    tree,
    parents: parent === null ? [] : [parent],
    who: signer ?? NOBODY,
    at,
    message: formatRunMessage(record),
  });
  const content = signer ? formatSignedCommit(payload, await signer.sign(payload, at), objectFormat) : payload;
  return makeObject("commit", content, objectFormat);
}
