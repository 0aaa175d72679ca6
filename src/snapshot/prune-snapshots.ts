import { parseDuration } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import { openRepository, type Repository } from "../git/repository.js";
import { listBuiltImages, removeImage } from "../podman/built-images.js";
import { removeLeftovers } from "../podman/leftovers.js";
import { listContainers, SNAPSHOT_LABEL } from "../podman/list-containers.js";
import { removeContainer } from "../podman/remove-container.js";
import { readAgent } from "../version/agent-repository.js";
import type { Caller } from "../version/writing-session.js";
import { endAbandoned } from "./end-abandoned.js";
import { takeAway, takeContainerAway } from "./end-snapshot.js";
import { unneededImages } from "./image/unneeded-images.js";
import { isRootless } from "./is-rootless.js";
import { changesOf } from "./judged-changes.js";
import { listOrphans } from "./orphaned-snapshots.js";
import { findPrunableSaves, type PrunedSave } from "./prune-saves.js";
import { listUnusedTrees, pruneTrees, type UnusedRequest } from "./sandbox/prune-trees.js";
import { listForsaken, sweepSandboxFolders } from "./sandbox/sandbox-folder.js";
import { saveStillSnapshot } from "./save-snapshot.js";
import { removeSaves } from "./saves.js";
import { placesOf } from "./snapshot-ground.js";
import { type KnownSnapshot, SnapshotStore, STORE_LABEL } from "./snapshot-store.js";
import { sweepRecords } from "./take-place.js";
import { endDeadHolds } from "./while-still.js";

/** What became of a snapshot that was pruned. */
export interface PrunedSnapshot {
  readonly id: string;
  readonly version: string;
  /** Why it went. */
  readonly reason: string;
  /** The commit under refs/kai/snapshots that keeps what it had changed; null where that was nothing, or was kept already. */
  readonly kept: string | null;
}

export interface EndedCommand {
  readonly snapshot: string;
  /** Id of the execution. */
  readonly execution: string;
}

export interface PruneResult {
  readonly pruned: readonly PrunedSnapshot[];
  /** Those that could not be, and why. */
  readonly left: readonly { readonly id: string; readonly reason: string }[];
  /** Containers and folders that belonged to no snapshot any more, and images that no version's name leads to; files of versions for snapshots. In a dry run these alone. */
  readonly orphans: readonly string[];
  /** Commands that ran on in a snapshot that stays, although their callers had been killed. */
  readonly ended: readonly EndedCommand[];
  /** What was saved of snapshots that were gone before, and went now. */
  readonly saves: readonly PrunedSave[];
}

export interface PruneRequest {
  /** Also snapshots that are stopped, in error, or committed. */
  readonly all: boolean;
  /** Also saves whose files nothing else has. */
  readonly saves: boolean;
  readonly dryRun: boolean;
}

/**
 * Takes away the snapshots whose time is over or whose maker died, and what a crash left: containers, folders, records. What
 * one of them had changed and nobody kept is saved first. Of snapshots that were gone before what was saved goes where a branch
 * or tag has it, too, or `saves` says so.
 */
export async function pruneSnapshots(
  caller: Caller,
  { all, saves: allSaves, dryRun }: PruneRequest,
): Promise<PruneResult> {
  const { env } = caller;
  const repository = await openRepository(caller.cwd, env);
  const { config } = await readAgent(repository, caller.onConfigGone);
  const store = new SnapshotStore(repository);
  const living = await store.list();
  const places = await placesOf(repository, config, env);
  const lost = await listOrphans(places.tempDir, store);
  // Before anything is pruned: what is saved of that now stays.
  const saves = await findPrunableSaves(repository, [...living, ...lost], allSaves);
  const due = [...living, ...lost].flatMap((known) => {
    const reason = lost.includes(known) ? known.reason : whyDue(known, caller.now(), all);
    return reason == null ? [] : [{ known, reason }];
  });
  const unused = {
    kaiDir: places.kaiDir,
    used: living.map(({ record }) => record.lower),
    keepMs: parseDuration(config.snapshot_isolation.cleanup_after),
    now: caller.now(),
  };
  const sweeping = { store, tempDir: places.tempDir, unused, agent: config.agent_id, dryRun };
  if (dryRun) {
    const pruned = due.map(({ known: { record }, reason }) => ({
      id: record.id,
      version: record.version,
      reason,
      kept: null,
    }));
    const going = due.map(({ known }) => known);
    const staying = living.filter((known) => !going.includes(known));
    return { pruned, left: [], orphans: await sweepOrphans(caller, { ...sweeping, staying, going }), ended: [], saves };
  }
  await removeSaves(repository, saves);
  // From now on they are as others: what is interrupted here goes on the next time.
  for (const { record } of lost) await store.write(record);
  const pruned: PrunedSnapshot[] = [];
  const left: { id: string; reason: string }[] = [];
  for (const { known, reason } of due) {
    const { id, version } = known.record;
    try {
      pruned.push({ id, version, reason, kept: await pruneOne(repository, store, known, caller) });
    } catch (cause) {
      if (!(cause instanceof KaiError)) throw cause;
      left.push({ id, reason: cause.message });
    }
  }
  const ended: EndedCommand[] = [];
  for (const known of await store.list()) ended.push(...(await endAbandonedIn(store, known, caller)));
  const orphans = await sweepOrphans(caller, { ...sweeping, staying: await store.list(), going: [] });
  return { pruned, left, orphans, ended, saves };
}

interface Sweeping {
  readonly store: SnapshotStore;
  readonly tempDir: string;
  /** By it the files of versions that go: those whose snapshot went just now stay until the next time. */
  readonly unused: UnusedRequest;
  readonly agent: string;
  readonly dryRun: boolean;
  readonly staying: readonly KnownSnapshot[];
  readonly going: readonly KnownSnapshot[];
}

/** Removes what belongs to no snapshot, or only tells it. */
async function sweepOrphans({ env, now }: Caller, sweeping: Sweeping): Promise<string[]> {
  const { store, tempDir, agent, dryRun } = sweeping;
  // Those in which this machine was looked at, or a rollback was rehearsed; what runs in them writes to their folders.
  const probes = await removeLeftovers(env, dryRun);
  const folders = dryRun
    ? await listForsaken(tempDir, now())
    : await sweepSandboxFolders(tempDir, { rootless: isRootless(), env }, now());
  const records = await sweepRecords(store, env, dryRun);
  const containers = await orphanedContainers(env, sweeping);
  const staying = sweeping.staying.map(({ record }) => record);
  const going = sweeping.going.map(({ record }) => record);
  const images: string[] = [];
  for (const name of unneededImages(await listBuiltImages(env), agent, { staying, going })) {
    if (dryRun || (await removeImage(name, env))) images.push(`image ${name}`);
  }
  const { unused } = sweeping;
  const trees = dryRun ? await listUnusedTrees(unused) : await pruneTrees(unused, { rootless: isRootless(), env });
  return [...records, ...probes, ...containers, ...folders, ...images, ...trees.map(treeTold)];
}

/** By its tree's id; whose files they are follows in its name. */
const treeTold = (name: string): string => `the files of tree ${name.slice(0, 10)}`;

/** Prunes what is due, before a new one is begun or where a timer asks; starts no process where nothing is. */
export async function sweepDue(
  repository: Repository,
  store: SnapshotStore,
  caller: Caller,
  { dryRun }: { readonly dryRun: boolean } = { dryRun: false },
): Promise<PrunedSnapshot[]> {
  const pruned: PrunedSnapshot[] = [];
  for (const known of await store.list()) {
    const reason = whyDue(known, caller.now(), false);
    if (reason === undefined) {
      if (!dryRun) await endAbandonedIn(store, known, caller);
      continue;
    }
    const { id, version } = known.record;
    // What cannot be pruned now is told by `snapshot prune`, and keeps nobody from trying a version.
    const kept = dryRun ? null : await pruneOne(repository, store, known, caller).catch(() => undefined);
    if (kept !== undefined) pruned.push({ id, version, reason, kept });
  }
  return pruned;
}

/** Nothing where somebody holds it still: whoever comes next ends it. */
async function endAbandonedIn(
  store: SnapshotStore,
  { record, status }: KnownSnapshot,
  { env }: Caller,
): Promise<EndedCommand[]> {
  if ((status !== "ready" && status !== "running") || record.throwAway) return [];
  try {
    if ((await store.abandonedOf(record.id)).length === 0) return [];
    await endDeadHolds(store, record, env);
    return (await endAbandoned(store, record, env)).map((execution) => ({ snapshot: record.id, execution }));
  } catch (cause) {
    if (cause instanceof KaiError) return [];
    throw cause;
  }
}

/** Why a snapshot is to go; undefined where it stays. One in which a command runs always does. */
function whyDue({ record, status, reason }: KnownSnapshot, now: Date, all: boolean): string | undefined {
  if (status === "running") return undefined;
  if (status === "creating") return undefined;
  if (record.throwAway || (status === "error" && record.status === "creating"))
    return reason ?? "whoever made it was killed";
  if (Date.parse(record.expiresAt) <= now.getTime()) return "its time is over";
  if (all && status !== "ready") return `it is ${status}`;
  return undefined;
}

async function pruneOne(
  repository: Repository,
  store: SnapshotStore,
  known: KnownSnapshot,
  caller: Caller,
): Promise<string | null> {
  const { record, status } = known;
  await takeContainerAway(store, record, caller.env);
  const still: KnownSnapshot = { ...known, status: "stopped" };
  const kept = status === "committed" ? null : await keepUnsaved(repository, still, caller);
  await takeAway(store, record, caller.env);
  return kept;
}

/** Null where nothing was changed since it was saved last, or its files are gone. */
async function keepUnsaved(repository: Repository, known: KnownSnapshot, caller: Caller): Promise<string | null> {
  const found = await changesOf(known, caller.env).catch((cause: unknown) => {
    if (cause instanceof KaiError && cause.code === "E103") return undefined;
    throw cause;
  });
  if (found === undefined || found.changes.length === 0) return null;
  const { commit, made } = await saveStillSnapshot(repository, known, caller);
  return made ? commit : null;
}

/** Containers of snapshots whose record is gone, and whose folder is, on this machine and of this user. */
async function orphanedContainers(
  env: NodeJS.ProcessEnv,
  { store, going, dryRun }: Pick<Sweeping, "store" | "going" | "dryRun">,
): Promise<string[]> {
  const removed: string[] = [];
  for (const { name, labels } of await listContainers(SNAPSHOT_LABEL, env)) {
    const id = labels[SNAPSHOT_LABEL] ?? "";
    if (labels[STORE_LABEL] !== store.root || store.has(id) || going.some(({ record }) => record.id === id)) continue;
    if (!dryRun) await removeContainer(name, env);
    removed.push(name);
  }
  return removed;
}
