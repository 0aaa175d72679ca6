import type { SnapshotRecord } from "../snapshot-record.js";

/**
 * Where the host does not limit a sandbox's memory, a limit of each process, as what a shell does first: not the same, and nobody
 * calls it enforced, but a runaway leaves the host its memory. Set inside, because the runtime itself needs more than a small limit.
 */
export const limitEachProcess = ({ memoryBytes }: { readonly memoryBytes: number }): string =>
  `ulimit -d ${Math.ceil(memoryBytes / 1024)}; `;

/** The same for a command in a snapshot that stays; empty where its memory is limited. */
export const memoryStandIn = ({ unenforced, settings }: SnapshotRecord): string =>
  unenforced.includes("memory") ? limitEachProcess(settings.limits) : "";
