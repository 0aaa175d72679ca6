export interface Artifact {
  /** Relative to the agent's folder. */
  path: string;
  change: "added" | "modified" | "deleted";
}

export interface RefusedPath {
  path: string;
  reason: string;
}

interface Resources {
  /** Bytes. */
  peakMemory?: number;
  cpuMs?: number;
}

/** One run in a sandbox, as `snapshot test` gives it. */
export interface Execution {
  id: string;
  snapshot: string | null;
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Bytes of output that were not kept. */
  outputDropped: number;
  durationMs: number;
  timedOut: boolean;
  oomKilled: boolean;
  resources: Resources;
  /** What was asked of the network; without an allow-list nothing can be. */
  requests: [];
  artifacts: Artifact[];
  /** What the run left that is neither a file nor a link, or could not be read. */
  refused: RefusedPath[];
  /** Changed paths beyond those that are listed. */
  artifactsDropped: number;
  /** Limits that were asked for and that this machine does not enforce. */
  unenforced: string[];
  passed: boolean;
  failures: string[];
}
