import type { Repository } from "../../git/repository.js";
import type { LoggedEntry } from "../../operation/entry.js";
import { readLog } from "../../operation/log.js";
import type { Caller } from "../../version/writing-session.js";
import { claimedAtOnce } from "../claim-snapshot.js";
import { endContainer } from "../end-snapshot.js";
import { type LeftSnapshot, whyLeft } from "../prune-due.js";
import { findOtherUser } from "../require-own-user.js";
import type { SnapshotRecord } from "../snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "../snapshot-store.js";

/** What comes behind the commit point: the snapshot is `committed`, and nothing runs in it any more. */
export async function finishCommit(
  store: SnapshotStore,
  record: SnapshotRecord,
  commit: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await store.write({ ...record, status: "committed", committed: commit, reason: null });
  await endContainer(store, record, env);
}

/**
 * The same of those whose commit is in the log, and whoever made it was killed before he said so; none of another user. Gives their ids, and
 * those with which it could not be done.
 */
export async function finishCommits(
  repository: Repository,
  store: SnapshotStore,
  caller: Caller,
): Promise<{ readonly committed: readonly string[]; readonly left: readonly LeftSnapshot[] }> {
  const isBegun = ({ record }: KnownSnapshot): boolean =>
    record.status !== "committed" &&
    record.destroyer === undefined &&
    findOtherUser(store, record) === undefined &&
    store.commitBegun(record.id) !== "";
  const begun = (await store.list()).filter(isBegun);
  if (begun.length === 0) return { committed: [], left: [] };
  const log = await readLog(repository);
  const committed: string[] = [];
  const left: LeftSnapshot[] = [];
  for (const each of begun) {
    const finishing = claimedAtOnce(store, each, { purpose: "recover", ...caller }, async (known) => {
      const { record } = known;
      const commit = isBegun(known) ? madeBy(log, record.id, store.commitBegun(record.id)) : null;
      if (commit === null) return;
      await finishCommit(store, record, commit, caller.env);
      committed.push(record.id);
    });
    await finishing.catch((cause: unknown) => left.push({ id: each.record.id, ...whyLeft(cause) }));
  }
  return { committed, left };
}

/** The commit that an operation made of a snapshot; null where the log does not have it. */
function madeBy(log: readonly LoggedEntry[], snapshot: string, operation: string): string | null {
  const entry = log.find(({ id, details }) => id === operation && details["snapshot"] === snapshot);
  return entry?.changes.find(({ ref }) => ref.startsWith("refs/heads/"))?.new ?? null;
}
