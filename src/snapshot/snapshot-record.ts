import type { RunningContainer } from "../podman/start-container.js";
import type { Opening } from "./opening.js";
import type { RepositoryPlace } from "./repository-place.js";
import type { SnapshotSettings } from "./snapshot-settings.js";

export const SNAPSHOT_STATUSES = ["creating", "ready", "running", "stopped", "error", "committed"] as const;
/**
 * `creating`: it is being made. `ready`: it waits for commands. `running`: one runs in it. `stopped`: its container has ended,
 * its files are there. `error`: it could not be made, or was lost. `committed`: what it changed is a commit.
 */
export type SnapshotStatus = (typeof SNAPSHOT_STATUSES)[number];

/** What is known of a snapshot: one file of JSON in `kai/snapshots/<id>`. */
export interface SnapshotRecord {
  readonly format: "kai-snapshot/1";
  /** ULID. */
  readonly id: string;
  /** The repository that it was made in; absent in records made before it was. */
  readonly repository?: RepositoryPlace;
  readonly agent: string;
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  /** Tree of the files that it began with. */
  readonly tree: string;
  /** The snapshot that a layered one stands on, or whose save it began with. */
  readonly base: string | null;
  readonly settings: SnapshotSettings;
  /** `host`, or the image's id. */
  readonly image: string;
  /** That image by its digest, or where it was built from the version, the one that it was built on; null for the host. */
  readonly imageBase: string | null;
  /** Limits and the like that this machine does not enforce. */
  readonly unenforced: readonly string[];
  /** What the kai.yaml opens beyond what is built in; absent in records made before it was. */
  readonly opened?: readonly Opening[];
  readonly createdAt: string;
  readonly expiresAt: string;
  /** Its own folder in `temp_dir`. */
  readonly folder: string;
  /** The folder of the files that it began with. */
  readonly lower: string;
  readonly container: string;
  /** The OCI runtime that started it; null where podman chose. */
  readonly runtime: string | null;
  /** The version of podman that made it; absent in records made before it was told. */
  readonly podman?: string | null;
  /** Whether it goes when what runs in it has ended. */
  readonly throwAway: boolean;
  /** The process that makes it, and of a throw-away one runs it: `system/process-identity`. */
  readonly owner: string;
  /** The container's first process; null until it was started. */
  readonly process: string | null;
  /** What was last said of it; `running`, and `stopped` behind somebody's back, are found by looking. */
  readonly status: Exclude<SnapshotStatus, "running">;
  /** Why it is in error, or has stopped. */
  readonly reason: string | null;
  /** The commit that `save` made last, and that of `commit`. */
  readonly saved: string | null;
  readonly committed: string | null;
  /** The process that is taking it away and saves nothing more of it: `system/process-identity`; absent as long as nobody does. */
  readonly destroyer?: string;
}

/** Whether it makes a difference if whoever made it still lives. */
export const dependsOnOwner = ({ status, throwAway }: SnapshotRecord): boolean => status === "creating" || throwAway;

/** What a look at the machine says of the processes that a record names. */
export interface Liveness {
  /** Of one that depends on it. */
  readonly owner: boolean;
  readonly process: boolean;
  /** Whether its folder is there. */
  readonly folder: boolean;
  /** Whether a command runs in it: an execution whose caller lives. */
  readonly executing: boolean;
  /** Whether somebody is taking it away now. */
  readonly destroying: boolean;
}

/** The status in effect, and why. */
export function statusOf(
  { status, reason, process, throwAway, destroyer }: SnapshotRecord,
  { owner, process: lives, folder, executing, destroying }: Liveness,
): { readonly status: SnapshotStatus; readonly reason: string | null } {
  if (destroyer !== undefined) {
    return {
      status: "error",
      reason: destroying ? "it is being destroyed" : "its destruction did not come to its end",
    };
  }
  if (status === "creating" && !owner) return { status: "error", reason: "whoever made it was killed" };
  if (!(lives || folder) && (status === "ready" || status === "stopped")) {
    return { status: "error", reason: "its files are gone" };
  }
  if (status !== "ready") return { status, reason };
  if (!lives) return { status: "stopped", reason: process === null ? null : (reason ?? "its container has ended") };
  if (throwAway) return owner ? { status: "running", reason } : { status: "stopped", reason: "its caller was killed" };
  return { status: executing ? "running" : "ready", reason };
}

/** Whether it takes one of the `max_concurrent` places. */
export const isLive = (status: SnapshotStatus): boolean =>
  status === "creating" || status === "ready" || status === "running";

/** Its container, while that runs. */
export const containerOf = ({ container: name, process, settings }: SnapshotRecord): RunningContainer => ({
  name,
  process: process ?? "",
  ...(settings.process === "vm" && { ownKernel: true }),
});
