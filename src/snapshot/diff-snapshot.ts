import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import type { Caller } from "../version/writing-session.js";
import { claimed, scratchOf } from "./claim-snapshot.js";
import { listRefused } from "./describe-changes.js";
import { patchOf, type SnapshotPatch } from "./diff-patch.js";
import { executableInDiff } from "./executable-in-diff.js";
import type { RefusedPath } from "./execution.js";
import type { ExecutableChange } from "./ingest/executable-changes.js";
import { refuseForCommit } from "./ingest/refuse-for-commit.js";
import { type FoundIn, judgedChanges } from "./judged-changes.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { SnapshotStore } from "./snapshot-store.js";
import { ignoredOf, versionIgnores } from "./version-ignores.js";
import { whileStill } from "./while-still.js";

/** What a snapshot changed, named readably. */
export interface SnapshotDiff {
  readonly id: string;
  readonly version: string;
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly deleted: readonly string[];
  /** Of what was added what the version's .gitignore files ignore: `snapshot commit` leaves it out. */
  readonly ignored: readonly string[];
  /** What later runs on a host, or steers what does: `snapshot commit` takes it with `--allow-executable`. */
  readonly executable: readonly ExecutableChange[];
  /** The text of what a commit would take; null where that was not asked for. */
  readonly patch: SnapshotPatch | null;
  readonly refused: readonly RefusedPath[];
  /** True where there was too much to look at all of it. */
  readonly truncated: boolean;
}

/** What differs in a snapshot from the files that it began with. E101, E103, E113. */
export async function diffSnapshot(
  caller: Caller,
  asked: string,
  { patch: wanted }: { readonly patch: boolean },
): Promise<SnapshotDiff> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  const claim = { purpose: "snapshot diff", ...caller };
  const looked = await claimed(store, await store.find(asked), claim, (known) =>
    whileStill(store, known, caller.env, async () => {
      const { record } = known;
      const changed = await judgedChanges(repository, known, caller);
      const judged = await judgeForCommit(
        repository,
        caller,
        { record, scratch: scratchOf(store, record.id) },
        changed,
      );
      const text = wanted ? await patchOf(repository, record, judged.taken, judged.executable) : null;
      return { record, ...judged, patch: text };
    }),
  );
  const { record, found, ignored, executable, patch } = looked;
  const of = (change: string) =>
    found.changes.filter((each) => each.change === change).map(({ path }) => readablePath(path));
  return {
    id: record.id,
    version: record.version,
    added: of("added"),
    modified: of("modified"),
    deleted: of("deleted"),
    ignored: [...ignored].map(readablePath),
    executable,
    patch,
    refused: listRefused(found.refused),
    truncated: found.truncated,
  };
}

/** What a commit of it would leave out, and what it would ask to be allowed. */
async function judgeForCommit(
  repository: Repository,
  caller: Caller,
  { record, scratch }: { record: SnapshotRecord; scratch: string },
  judged: FoundIn,
) {
  if (judged.changes.length === 0) return { found: judged, ignored: new Set<string>(), executable: [], taken: judged };
  const reader = new ObjectReader(repository);
  try {
    const ignored = await ignoredOf(judged.changes, (paths) => versionIgnores(reader, record.commit, paths));
    const changes = judged.changes.filter(({ path }) => !ignored.has(path));
    const taken = await refuseForCommit({ ...judged, changes }, { repository, reader, tree: record.tree, scratch });
    const { refused } = taken;
    const found = { ...judged, refused, changes: judged.changes.filter(({ path }) => !refused.has(path)) };
    const executable = await executableInDiff(repository, reader, caller, { record, found: taken });
    return { found, ignored, executable, taken };
  } finally {
    reader.close();
  }
}
