import type { EgressRequest } from "./egress/request-log.js";
import type { ExecutableChange } from "./ingest/executable-changes.js";
import type { ToldIsolation } from "./told-isolation.js";
import type { SnapshotEnd } from "./why-snapshot-ended.js";

export interface Artifact {
  /** Relative to the agent's folder. */
  readonly path: string;
  readonly change: "added" | "modified" | "deleted";
  /** Why its content is not kept with the run; absent where it is, or was deleted. */
  readonly notKept?: string;
}

export interface RefusedPath {
  readonly path: string;
  readonly reason: string;
}

export interface Resources {
  /** Bytes. */
  readonly peakMemory?: number;
  readonly cpuMs?: number;
}

/** One execution in a sandbox. */
export interface Execution {
  readonly id: string;
  /** The snapshot that it ran in; null for a throw-away sandbox. */
  readonly snapshot: string | null;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Bytes of output that were not kept. */
  readonly outputDropped: number;
  readonly durationMs: number;
  readonly timedOut: boolean;
  readonly oomKilled: boolean;
  readonly resources: Resources;
  /** What was asked of the network; without an allow-list nothing can be. */
  readonly requests: readonly EgressRequest[];
  /** Requests beyond those that are listed. */
  readonly requestsDropped: number;
  /** What it changed; null in a snapshot that stays, of which `diff` tells what all of its commands changed. */
  readonly artifacts: readonly Artifact[] | null;
  /** What the run left that can be in no version, or could not be read; null as before. */
  readonly refused: readonly RefusedPath[] | null;
  /** Changed paths beyond those that are listed. */
  readonly artifactsDropped: number;
  /** Limits that were asked for and that this machine does not enforce. */
  readonly unenforced: readonly string[];
  readonly isolation: ToldIsolation;
  readonly passed: boolean;
  readonly failures: readonly string[];
  /** The commit on refs/kai/runs that keeps it; null where it could not be kept. */
  readonly run: string | null;
  /** The branch that has what it changed; null where that was not committed. */
  readonly branch: string | null;
  /** What of that later runs on a host, and so was taken only because it was asked for. */
  readonly executable: readonly ExecutableChange[];
  /** Why it is not committed; null where it is, where nothing was changed, or nobody asked for it. */
  readonly notCommitted: string | null;
}

/** One in a snapshot that stays. */
export interface ExecutionInSnapshot extends Execution {
  /** Why the snapshot ended under the command, which was killed with it; null where it goes on. */
  readonly snapshotEnded: SnapshotEnd | null;
}

/** One that has ended, and of which nothing is kept yet. */
export type EndedExecution = Omit<Execution, "run" | "branch" | "executable" | "notCommitted">;

/** Among the `failures` of one that was told that all is well. */
export const DISK_FAILED = "What it wrote is not whole: this machine's disk was full, or failed.";
