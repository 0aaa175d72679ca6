import type { Repository } from "../git/repository.js";
import { lookWhileFree } from "../system/file-lock.js";
import { isUnfinished } from "./is-unfinished.js";
import { kaiFolderOf } from "./kai-folder.js";

/** An operation that somebody carries out at this moment. */
export interface RunningOperation {
  /** Which command, such as `rollback`; null where that cannot be told, because it has only begun or its process has ended. */
  readonly what: string | null;
  readonly process: number | null;
  /** ISO 8601 in UTC. */
  readonly since: string;
}

export interface OperationState {
  /** Null where none runs, or nobody can tell. */
  readonly running: RunningOperation | null;
  /** Whether one was interrupted, and waits for `recover`; where nobody can tell, whether that may be so. */
  readonly interrupted: boolean;
}

/**
 * Tells an operation that runs from one that was interrupted: who writes holds the operation lock, and a journal that is there
 * while nobody does is a dead one's. Writes nothing, and keeps nobody waiting for longer than a look takes.
 */
export async function readOperationState(repository: Repository): Promise<OperationState> {
  const looked = await lookWhileFree(kaiFolderOf(repository).lock, repository.env, () => isUnfinished(repository));
  if (looked === undefined) return { running: null, interrupted: await isUnfinished(repository) };
  if ("seen" in looked) return { running: null, interrupted: looked.seen };
  const { what, process, since } = looked.holder;
  return { running: { what, process, since: since.toISOString() }, interrupted: false };
}
