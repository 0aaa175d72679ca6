import { readablePath } from "../system/path-bytes.js";
import type { Artifact, RefusedPath } from "./execution.js";
import type { FoundChanges } from "./ingest/found-changes.js";

const MOST_LISTED = 10_000;

/** Changes as people and JSON read them, not more than can be listed. */
export interface ListedChanges {
  readonly artifacts: readonly Artifact[];
  readonly refused: readonly RefusedPath[];
  readonly artifactsDropped: number;
}

/** All that was refused. */
export const listRefused = (refused: FoundChanges["refused"]): RefusedPath[] =>
  [...refused].map(([path, reason]) => ({ path: readablePath(path), reason }));

export function listChanges({ changes, refused, truncated }: FoundChanges): ListedChanges {
  const kept = changes.slice(0, MOST_LISTED);
  const left = listRefused(refused).slice(0, MOST_LISTED);
  const beyond = changes.length - kept.length + refused.size - left.length;
  return {
    artifacts: kept.map(({ path, change }) => ({ path: readablePath(path), change })),
    refused: left,
    artifactsDropped: truncated ? Math.max(1, beyond) : beyond,
  };
}
