import { parseDuration } from "../agent/quantity.js";
import { openRepository, type Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { listBuiltImages, removeImage } from "../podman/built-images.js";
import { readAgent } from "../version/agent-repository.js";
import type { Caller } from "../version/writing-session.js";
import { endAllAbandoned, type SetRight } from "./abandoned-commands.js";
import { unneededImages } from "./image/unneeded-images.js";
import { isRootless } from "./is-rootless.js";
import { pruneKeptLogs } from "./kept-logs.js";
import { listOrphans, restoreOrphans } from "./orphaned-snapshots.js";
import { type LeftSnapshot, type PrunedSnapshot, pruneAll, whyDue } from "./prune-due.js";
import { findPrunableSaves, type PrunedSave } from "./prune-saves.js";
import { removeHalfWritten } from "./remove-half-written.js";
import { listUnusedTrees, pruneTrees, type UnusedRequest } from "./sandbox/prune-trees.js";
import { removeSaves } from "./saves.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { leftUnclaimed, sweepForsaken } from "./sweep-forsaken.js";
import { findPassedOver, type PassedOver, trustedTempDir } from "./trusted-temp-dir.js";

export interface PruneResult extends SetRight {
  readonly pruned: readonly PrunedSnapshot[];
  /** Those that could not be, and why. */
  readonly left: readonly LeftSnapshot[];
  /** Containers and folders that belonged to no snapshot any more, and images that no version's name leads to; files of versions for snapshots. In a dry run these alone. */
  readonly orphans: readonly string[];
  /** What was saved of snapshots that were gone before, and went now. */
  readonly saves: readonly PrunedSave[];
  /** Null where all was looked at. */
  readonly passedOver: PassedOver | null;
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
  const agent = await readAgent(repository, caller.onConfigGone);
  const { config } = agent;
  const store = new SnapshotStore(repository);
  const trusted = await trustedTempDir(caller, agent);
  const { tempDir } = trusted;
  const passedOver = await findPassedOver(agent, trusted, caller.now());
  const { root: kaiDir } = kaiFolderOf(repository);
  const lost = dryRun ? await listOrphans(tempDir, store) : await restoreOrphans(tempDir, store, env);
  const lostIds = new Set(lost.map(({ record }) => record.id));
  const living = (await store.list()).filter(({ record }) => !lostIds.has(record.id));
  const unclaimed = await leftUnclaimed(caller, { store, tempDir });
  // Before anything is pruned: what is saved of that now stays.
  const saves = await findPrunableSaves(repository, [...living, ...lost], allSaves);
  const due = [...living, ...lost].flatMap((known) => {
    const reason = lost.includes(known) ? known.reason : whyDue(known, caller.now(), all);
    return reason == null ? [] : [{ known, reason }];
  });
  const unused = {
    kaiDir,
    used: living.map(({ record }) => record.lower),
    keepMs: parseDuration(config.snapshot_isolation.cleanup_after),
    now: caller.now(),
  };
  const cached = { repository, unused, agent: config.agent_id, dryRun };
  if (dryRun) {
    const { pruned, left } = await pruneAll(repository, store, due, caller, { dryRun });
    const going = due.map(({ known }) => known);
    const staying = living.filter((known) => !going.includes(known));
    const forsaken = await sweepForsaken(caller, { store, tempDir, dryRun, going });
    const orphans = [...forsaken, ...(await sweepCached(env, { ...cached, staying, going }))];
    return { pruned, left: [...left, ...unclaimed], orphans, ended: [], resumed: [], saves, passedOver };
  }
  await removeHalfWritten(repository, store, caller);
  await removeSaves(repository, saves);
  const { pruned, left } = await pruneAll(repository, store, due, caller);
  const setRight = await endAllAbandoned(store, env);
  const forsaken = await sweepForsaken(caller, { store, tempDir, dryRun, going: [] });
  const orphans = [...forsaken, ...(await sweepCached(env, { ...cached, staying: await store.list(), going: [] }))];
  return { pruned, left: [...left, ...unclaimed], orphans, ...setRight, saves, passedOver };
}

interface Cached {
  readonly repository: Repository;
  /** By it the files of versions that go: those whose snapshot went just now stay until the next time. */
  readonly unused: UnusedRequest;
  readonly agent: string;
  readonly dryRun: boolean;
  readonly staying: readonly KnownSnapshot[];
  readonly going: readonly KnownSnapshot[];
}

/** Removes images that no version's name leads to, and files of versions and outputs of runs that are kept for long enough; or only tells them. */
async function sweepCached(
  env: NodeJS.ProcessEnv,
  { repository, unused, agent, dryRun, ...snapshots }: Cached,
): Promise<string[]> {
  const staying = snapshots.staying.map(({ record }) => record);
  const going = snapshots.going.map(({ record }) => record);
  const images: string[] = [];
  for (const name of unneededImages(await listBuiltImages(env), agent, { staying, going })) {
    if (dryRun || (await removeImage(name, env))) images.push(`image ${name}`);
  }
  const trees = dryRun ? await listUnusedTrees(unused) : await pruneTrees(unused, { rootless: isRootless(), env });
  const logs = await pruneKeptLogs(repository, { ...unused, dryRun });
  return [...images, ...trees.map(treeTold), ...logs.map((id) => `the output of the run ${id}`)];
}

/** By its tree's id; whose files they are follows in its name. */
const treeTold = (name: string): string => `the files of tree ${name.slice(0, 10)}`;
