import { ObjectReader } from "../git/object-reader.js";
import { openRepository, type Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import type { IsIgnored } from "../version/ignored-paths.js";
import type { Caller } from "../version/writing-session.js";
import { listRefused } from "./describe-changes.js";
import type { RefusedPath } from "./execution.js";
import { judgedChanges } from "./judged-changes.js";
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
  readonly refused: readonly RefusedPath[];
  /** True where there was too much to look at all of it. */
  readonly truncated: boolean;
}

/** What differs in a snapshot from the files that it began with. E101, E103, E113. */
export async function diffSnapshot(caller: Caller, asked: string): Promise<SnapshotDiff> {
  const repository = await openRepository(caller.cwd, caller.env);
  const store = new SnapshotStore(repository);
  const known = await store.find(asked);
  const { record } = known;
  const found = await whileStill(store, known, caller.env, () => judgedChanges(repository, known, caller));
  const ignored = await ignoredOf(found.changes, () => ignoresOf(repository, record.commit));
  const of = (change: string) =>
    found.changes.filter((each) => each.change === change).map(({ path }) => readablePath(path));
  return {
    id: record.id,
    version: record.version,
    added: of("added"),
    modified: of("modified"),
    deleted: of("deleted"),
    ignored: [...ignored].map(readablePath),
    refused: listRefused(found.refused),
    truncated: found.truncated,
  };
}

async function ignoresOf(repository: Repository, commit: string): Promise<IsIgnored> {
  const reader = new ObjectReader(repository);
  try {
    return await versionIgnores(repository, reader, commit);
  } finally {
    reader.close();
  }
}
