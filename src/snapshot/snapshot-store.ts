import { existsSync, readdirSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { uptimeTicks } from "../podman/end-exec.js";
import { SNAPSHOT_LABEL } from "../podman/list-containers.js";
import { makeFolder, writeDurably } from "../system/durable-file.js";
import { isAlive, ownIdentity } from "../system/process-identity.js";
import type { TakenFrom } from "./ingest/require-acceptable.js";
import { isSnapshotId } from "./is-snapshot-record.js";
import { findOwnRecord, isForeign, notOwn } from "./own-record.js";
import { damagedRecord, findRecord, isDamagedIn, recordIn } from "./read-record.js";
import { findText } from "./read-text.js";
import { findPlace, type RepositoryPlace } from "./repository-place.js";
import { listSaves, noSnapshot, severalSnapshots } from "./saves.js";
import { dependsOnOwner, type SnapshotRecord, type SnapshotStatus, statusOf } from "./snapshot-record.js";

/** A snapshot as it is now. */
export interface KnownSnapshot {
  readonly record: SnapshotRecord;
  readonly status: SnapshotStatus;
  readonly reason: string | null;
  /** Whether it is to be thrown away by somebody who lives, also where nothing runs in it any more. */
  readonly attended?: boolean;
}

/** What is known of it to whoever takes its changes over. */
export const takenFrom = ({ record, status }: KnownSnapshot): TakenFrom => ({
  id: record.id,
  mostBytes: record.settings.limits.storageBytes,
  takesCommands: status === "ready" || status === "running",
});

const LEASE = "execution-";
const HOLD = "held-by-";
const COMMIT = "committing";
const STAYS = "stays";

/** The records of an agent's snapshots: a folder each, which goes with the snapshot. */
export class SnapshotStore {
  /** The folder of all records. */
  readonly root: string;
  readonly repository: RepositoryPlace;
  readonly env: NodeJS.ProcessEnv;

  readonly #repository: Repository;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.env = repository.callerEnv;
    this.repository = findPlace(repository.commonDir) ?? { path: repository.commonDir, device: "", inode: "" };
    this.root = path.join(kaiFolderOf(repository).root, "snapshots");
  }

  /** The folder of all records; a lock may lie in it. */
  async folder(): Promise<string> {
    await makeFolder(this.root);
    return this.root;
  }

  /** Where what is kept of one snapshot lies beside its record, such as the output of its commands. */
  folderOf = (id: string): string => `${this.root}/${id}`;

  /** Where what its commands print is kept. */
  logsOf = (id: string): string => `${this.folderOf(id)}/logs`;

  async write(record: SnapshotRecord): Promise<void> {
    await makeFolder(this.folderOf(record.id));
    await writeDurably(recordIn(this.folderOf(record.id)), `${JSON.stringify(record)}\n`);
  }

  async remove(id: string): Promise<void> {
    // Ahead of the lock beside it: whoever takes a new one must not find it any more.
    await rm(recordIn(this.folderOf(id)), { force: true });
    await rm(this.folderOf(id), { recursive: true, force: true, maxRetries: 3 });
  }

  /** Ids of folders without a record, which somebody was killed in; only where nobody can be making one. */
  listUnrecorded = (): string[] =>
    namesIn(this.root).filter((id) => isSnapshotId(id) && !existsSync(recordIn(this.folderOf(id))));

  has = (id: string): boolean => this.#read(id) !== undefined;

  /** Ids of records that came with a copy of a repository, and are of no use in it. */
  async listCopied(): Promise<string[]> {
    const copied: string[] = [];
    for (const id of namesIn(this.root)) {
      const record = this.#read(id);
      if (record && (await isForeign(this, record))) copied.push(id);
    }
    return copied;
  }

  /** Folders of those whose record is there and cannot be read; those that are known by theirs are not looked at again. */
  listDamaged(known: readonly KnownSnapshot[]): string[] {
    const read = new Set(known.map(({ record }) => record.id));
    const others = namesIn(this.root).filter((id) => !read.has(id));
    return others.map(this.folderOf).filter(isDamagedIn);
  }

  /** All of this repository's as they are now, the oldest first. Starts no process. */
  async list(): Promise<KnownSnapshot[]> {
    const known: KnownSnapshot[] = [];
    for (const name of namesIn(this.root)) {
      const record = this.#read(name);
      const own = record && (await findOwnRecord(this, record));
      if (own) known.push(this.#look(own));
    }
    return known;
  }

  /** The one whose id begins or ends so: ids of one hour begin alike. E101 for none, E122 for several. */
  async find(asked: string): Promise<KnownSnapshot> {
    const wanted = asked.toUpperCase();
    const ids = namesIn(this.root).filter(
      (name) => wanted !== "" && (name.startsWith(wanted) || name.endsWith(wanted)),
    );
    const records = ids.map((id) => this.#read(id)).filter((record) => record !== undefined);
    const [record, another] = records;
    if (record && !another) {
      const own = await findOwnRecord(this, record);
      if (own) return this.#look(own);
      throw await notOwn(this, record);
    }
    if (another) throw severalSnapshots(records.length, asked);
    const damaged = ids.map(this.folderOf).find(isDamagedIn);
    if (damaged !== undefined) throw damagedRecord(damaged);
    throw noSnapshot(await listSaves(this.#repository), asked);
  }

  /** Marks a snapshot as one in which a command runs, as long as this process lives or until what is given back is called. */
  async lease(id: string, execution: string): Promise<() => Promise<void>> {
    const file = path.join(this.folderOf(id), `${LEASE}${execution}`);
    const mark = `${ownIdentity()}\n${await uptimeTicks()}`;
    await writeFile(file, mark, { mode: 0o600 });
    return () => rm(file, { force: true });
  }

  /** The executions that run in it, by callers that live. */
  executionsOf(id: string): ReadonlySet<string> {
    const leases = this.#leasesOf(id);
    return new Set(leases.filter(({ living }) => living).map(({ execution }) => execution));
  }

  /** Those whose callers were killed, since when by the clock of the system's boot, and how their mark is taken away. */
  abandonedOf(id: string): { execution: string; since: number; release: () => Promise<void> }[] {
    return this.#leasesOf(id)
      .filter(({ living }) => !living)
      .map(({ execution, since, file }) => ({ execution, since, release: () => rm(file, { force: true }) }));
  }

  #leasesOf(id: string) {
    const names = namesIn(this.folderOf(id)).filter((name) => name.startsWith(LEASE));
    return names.map((name) => {
      const file = path.join(this.folderOf(id), name);
      const [owner = "", since] = (findText(file) ?? "").split("\n");
      return {
        execution: name.slice(LEASE.length),
        file,
        living: isAlive(owner),
        // Without it only what has its mark is known to be its own.
        since: since === undefined ? Number.POSITIVE_INFINITY : Number(since),
      };
    });
  }

  /** Whether a command runs in it, or one did whose caller was killed: what that asked podman for may be still to come. */
  isLeased = (id: string): boolean => namesIn(this.folderOf(id)).some((name) => name.startsWith(LEASE));

  /** Marks a snapshot as held still, as long as this process lives or until what is given back is called. */
  async hold(id: string): Promise<() => Promise<void>> {
    const file = path.join(this.folderOf(id), `${HOLD}${process.pid}`);
    await writeFile(file, ownIdentity(), { mode: 0o600 });
    return () => rm(file, { force: true });
  }

  /** Who else holds it still: `living` where somebody does, `dead` the marks of those who were killed meanwhile. */
  holdersOf(id: string): { readonly living: boolean; readonly dead: readonly string[] } {
    const dead: string[] = [];
    let living = false;
    for (const name of namesIn(this.folderOf(id))) {
      if (!name.startsWith(HOLD) || name === `${HOLD}${process.pid}`) continue;
      const file = path.join(this.folderOf(id), name);
      if (isAlive(findText(file) ?? "")) living = true;
      else dead.push(file);
    }
    return { living, dead };
  }

  /** Notes which operation is to make a commit of a snapshot. */
  beginCommit = (id: string, operation: string): Promise<void> =>
    writeFile(path.join(this.folderOf(id), COMMIT), operation, { mode: 0o600 });

  /** The operation that was last begun so; empty where none was. */
  commitBegun = (id: string): string => findText(path.join(this.folderOf(id), COMMIT)) ?? "";

  /** Notes that a sweep could not take it away: to find that out again may take a minute each time. */
  keepFromSweeps = (id: string): Promise<void> => writeFile(path.join(this.folderOf(id), STAYS), "", { mode: 0o600 });

  isKeptFromSweeps = (id: string): boolean => existsSync(path.join(this.folderOf(id), STAYS));

  #look(record: SnapshotRecord): KnownSnapshot {
    const owner = dependsOnOwner(record) && isAlive(record.owner);
    const process = isAlive(record.process ?? "");
    const destroying = isAlive(record.destroyer ?? "");
    // Looked for where it makes a difference: what runs has it.
    const folder = process || existsSync(record.folder);
    const executing = process && this.executionsOf(record.id).size > 0;
    const status = statusOf(record, { owner, process, folder, executing, destroying });
    return { record, ...status, attended: destroying || (record.throwAway && owner) };
  }

  #read = (id: string): SnapshotRecord | undefined => findRecord(this.folderOf(id));
}

/** The label of a container that says in which folder of records its snapshot has its own: other agents have some here, too. */
export const STORE_LABEL = "kai.store";

/** The label that says which folder is its snapshot's: that knows whose it is, also where another repository lies at that place now. */
export const FOLDER_LABEL = "kai.folder";

/** What a snapshot's container is found by. */
export const labelsOf = (store: SnapshotStore, { id, folder }: SnapshotRecord): Record<string, string> => ({
  [SNAPSHOT_LABEL]: id,
  [STORE_LABEL]: store.root,
  [FOLDER_LABEL]: folder,
});

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
