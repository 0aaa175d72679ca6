import { KaiError } from "../../error.js";
import type { Caller } from "../../version/writing-session.js";
import type { Execution } from "../execution.js";
import type { KnownSnapshot, SnapshotStore } from "../snapshot-store.js";
import { commitSnapshot } from "./commit-snapshot.js";

export interface RunCommit {
  /** `--allow-executable`. */
  readonly allowExecutable: boolean;
  /** `rollback_on_error`: what a run changed that failed is dropped. */
  readonly onlyWhenPassed: boolean;
}

/** The branch that has what a run changed, or why it was refused; neither where it changed nothing, or failed. */
export type CommittedRun = Pick<Execution, "branch" | "notCommitted">;

/** Makes what a throw-away run changed a branch of its own, before its files go. What is refused of it takes no result away. */
export async function commitRun(
  caller: Caller,
  store: SnapshotStore,
  { record }: KnownSnapshot,
  { passed }: Pick<Execution, "passed">,
  { allowExecutable, onlyWhenPassed }: RunCommit,
): Promise<CommittedRun> {
  if (onlyWhenPassed && !passed) return { branch: null, notCommitted: null };
  // Nothing runs in it any more.
  await store.write(record);
  const request = { snapshot: record.id, into: "branch", message: undefined, allowExecutable, dryRun: false } as const;
  return commitSnapshot(caller, request).then(
    ({ branch }) => ({ branch, notCommitted: null }),
    (cause: unknown) => {
      if (!(cause instanceof KaiError) || caller.interrupted?.aborted) throw cause;
      return { branch: null, notCommitted: cause.code === "E109" ? null : cause.message };
    },
  );
}
