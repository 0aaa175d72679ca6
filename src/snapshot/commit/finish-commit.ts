import type { Repository } from "../../git/repository.js";
import type { LoggedEntry } from "../../operation/entry.js";
import { readLog } from "../../operation/log.js";
import type { Caller } from "../../version/writing-session.js";
import { claimedAtOnce } from "../claim-snapshot.js";
import { endContainer } from "../end-snapshot.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "../snapshot-store.js";

/** What comes behind the commit point: the snapshot is `committed`, and nothing runs in it any more. */
export async function finishCommit(
  store: SnapshotStore,
  { committing: _, ...record }: SnapshotRecord,
  commit: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await store.write({ ...record, status: "committed", committed: commit, reason: null });
  await endContainer(store, record, env);
}

/** The same of those whose commit is in the log, and whoever made it was killed before he said so. Gives their ids. */
export async function finishCommits(repository: Repository, store: SnapshotStore, caller: Caller): Promise<string[]> {
  const begun = (await store.list()).filter(isBegun);
  if (begun.length === 0) return [];
  const log = await readLog(repository);
  const finished: string[] = [];
  for (const each of begun) {
    await claimedAtOnce(store, each, { purpose: "recover", ...caller }, async (known) => {
      const commit = isBegun(known) ? commitOf(log, known.record) : undefined;
      if (commit === undefined) return;
      await finishCommit(store, known.record, commit, caller.env);
      finished.push(known.record.id);
    });
  }
  return finished;
}

const isBegun = ({ record }: KnownSnapshot): boolean =>
  record.committing !== undefined && record.status !== "committed" && record.destroyer === undefined;

/** What the operation that was begun made; undefined where the log does not have it. */
function commitOf(log: readonly LoggedEntry[], { id, committing }: SnapshotRecord): string | undefined {
  const entry = log.find((each) => each.id === committing && each.details["snapshot"] === id);
  return entry?.changes.find(({ ref }) => ref.startsWith("refs/heads/"))?.new ?? undefined;
}
