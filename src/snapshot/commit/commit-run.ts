import { KaiError } from "../../error.js";
import type { Caller } from "../../version/writing-session.js";
import type { Execution } from "../execution.js";
import type { KnownSnapshot, SnapshotStore } from "../snapshot-store.js";
import { type CommittedSnapshot, commitSnapshot } from "./commit-snapshot.js";

export interface RunCommit {
  /** `--allow-executable`. */
  readonly allowExecutable: boolean;
  /** `rollback_on_error`: what a run changed that failed is dropped. */
  readonly onlyWhenPassed: boolean;
}

/** Makes what a throw-away run changed a branch of its own, before its files go; null where it changed nothing, or failed. */
export async function commitRun(
  caller: Caller,
  store: SnapshotStore,
  { record }: KnownSnapshot,
  { passed }: Pick<Execution, "passed">,
  { allowExecutable, onlyWhenPassed }: RunCommit,
): Promise<CommittedSnapshot | null> {
  if (onlyWhenPassed && !passed) return null;
  // Nothing runs in it any more.
  await store.write(record);
  const request = { snapshot: record.id, into: "branch", message: undefined, allowExecutable, dryRun: false } as const;
  return commitSnapshot(caller, request).catch((cause: unknown) => {
    if (cause instanceof KaiError && cause.code === "E109") return null;
    throw cause;
  });
}
