import { ulid } from "ulid";
import type { HostCapabilities } from "../podman/capabilities.js";
import { type ChosenGpus, chooseGpus } from "../podman/gpus.js";
import { ownIdentity } from "../system/process-identity.js";
import type { Caller } from "../version/writing-session.js";
import { takeAway } from "./end-snapshot.js";
import type { ImageRequest } from "./image/image-for.js";
import { versionFiles } from "./image/version-files.js";
import type { TimedScenario } from "./limit-openings.js";
import { openedByConfig } from "./opened-by-config.js";
import { originOf } from "./orphaned-snapshots.js";
import { sweepDue, tellSwept } from "./prune-due.js";
import { findBase } from "./sandbox/choose-base.js";
import { findHost, unenforcedOn } from "./sandbox/requirements.js";
import type { SandboxBase } from "./sandbox/sandbox.js";
import { makeSandboxFolder } from "./sandbox/sandbox-folder.js";
import { containerNameOf, sandboxFolderIn } from "./sandbox/sandbox-names.js";
import { scenarioTime } from "./scenario-time.js";
import { type Places, placesOf, type SnapshotGround } from "./snapshot-ground.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { planSettings, type SnapshotOptions } from "./snapshot-settings.js";
import { SnapshotStore } from "./snapshot-store.js";
import { startingTree } from "./starting-tree.js";
import { takePlace } from "./take-place.js";

export interface BeginRequest {
  readonly options: SnapshotOptions;
  /** False: refused (E113) where as many live as may. */
  readonly wait: boolean;
  /** Whether it goes when what runs in it has ended. */
  readonly throwAway: boolean;
  /** Whose time goes before the caller's. */
  readonly scenario?: TimedScenario | null;
}

/** A snapshot that has its place, its record, an empty folder, and the files that it begins with. */
export interface BegunSnapshot {
  readonly ground: SnapshotGround;
  readonly store: SnapshotStore;
  readonly places: Places;
  readonly host: HostCapabilities;
  readonly base: SandboxBase;
  /** The GPUs that it is given. */
  readonly devices: ChosenGpus;
  readonly record: SnapshotRecord;
  /** Takes back all of it: container, network, folder and record. */
  discard(): Promise<void>;
}

/** Decides what a snapshot of a version is to be, waits for a place, and begins it. E103, E112, E113, E122. */
export async function beginSnapshot(
  caller: Caller,
  ground: SnapshotGround,
  request: BeginRequest,
): Promise<BegunSnapshot> {
  const { repository, version, config } = ground;
  const { env, progress, onWaiting } = caller;
  const isolation = config.snapshot_isolation;
  const { options, scenario } = request;
  const settings = planSettings(isolation, {
    ...options,
    timeout: scenarioTime(scenario?.timeout ?? null, options.timeout),
  });
  const use = { stays: !request.throwAway, scenario };
  const opened = openedByConfig(isolation, options, use);
  if (opened.length > 0 && !options.trustConfig) {
    // Few open something, and what says whom to trust brings much.
    const { requireTrustedConfig } = await import("./require-trusted-config.js");
    await requireTrustedConfig(caller, ground, opened, options, use);
  }
  const places = await placesOf(repository, config, env);
  const store = new SnapshotStore(repository);
  progress("Looking at what this machine can isolate, and writing the version's files…");
  const [fitting, start] = await Promise.all([
    findHost(settings, { env, ...places }),
    startingTree({ ground, settings, store, places, base: options.base ?? null, env }),
  ]);
  const { host } = fitting;
  const { gpus } = settings.limits;
  const devices = gpus === null ? { devices: [], groups: [] } : await chooseGpus(gpus);
  const files = once(() => start.ready.then(() => versionFiles(start.folder)));
  const found = await findBase(isolation.base_images, settings.image, files);
  const signal = caller.interrupted;
  const image = { found, files, config, version: version.number.text, snapshot: start.base };
  const base = await baseFor({ ...image, settings, places, host, env, signal, progress });
  const at = caller.now();
  const id = ulid(at.getTime());
  const record: SnapshotRecord = {
    format: "kai-snapshot/1",
    id,
    repository: store.repository,
    agent: config.agent_id,
    version: version.number.text,
    tag: version.tag,
    commit: version.commit,
    tree: start.tree,
    base: start.base,
    settings,
    image: base.kind === "host" ? "host" : base.id,
    imageBase: base.kind === "host" ? null : base.reference,
    unenforced: unenforcedOn(fitting, settings, base),
    opened,
    createdAt: at.toISOString(),
    expiresAt: new Date(at.getTime() + settings.ttlMs).toISOString(),
    folder: sandboxFolderIn(places.tempDir, id),
    lower: start.folder,
    container: containerNameOf(id),
    runtime: host.runtime ?? null,
    podman: host.podman ?? null,
    throwAway: request.throwAway,
    owner: ownIdentity(),
    process: null,
    status: "creating",
    reason: null,
    saved: null,
    committed: null,
  };
  tellSwept(await sweepDue(repository, store, caller), caller);
  const most = isolation.max_concurrent;
  await takePlace(store, record, { most, wait: request.wait, env, signal: caller.interrupted, progress, onWaiting });
  const discard = () => takeAway(store, record, env);
  try {
    await makeSandboxFolder(record.folder, originOf(store, record));
    await start.ready;
  } catch (cause) {
    await discard();
    throw cause;
  }
  return { ground, store, places, host, base, devices, record, discard };
}

/** What makes images is loaded where one is needed. */
async function baseFor(request: ImageRequest): Promise<SandboxBase> {
  const { base } = request.found;
  return base.kind === "host" ? base : (await import("./image/image-for.js")).imageFor(request);
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= work();
    return made;
  };
}
