import { KaiError } from "../../error.js";
import type { Caller } from "../../version/writing-session.js";
import type { Execution, RefusedPath } from "../execution.js";
import { MAKES_REPOSITORY } from "../ingest/embedded-repository.js";
import { HOLDS_SECRET } from "../ingest/refuse-secrets.js";
import type { KnownSnapshot, SnapshotStore } from "../snapshot-store.js";
import { commitSnapshot } from "./commit-snapshot.js";

export interface RunCommit {
  /** `--allow-executable`. */
  readonly allowExecutable: boolean;
  readonly message?: string | undefined;
  /** `rollback_on_error`: what a run changed that failed is dropped. */
  readonly onlyWhenPassed: boolean;
  readonly changed: boolean;
  /** Values that it was told in confidence. */
  readonly secrets: readonly string[];
}

/** The branch that has what a run changed, or why it is not committed; neither where it changed nothing. */
export type CommittedRun = Pick<Execution, "branch" | "executable" | "notCommitted" | "refused">;

/** Makes what a throw-away run changed a branch of its own, before its files go. What is refused of it takes no result away. */
export async function commitRun(
  caller: Caller,
  store: SnapshotStore,
  { record }: KnownSnapshot,
  { passed, refused: found }: Pick<Execution, "passed" | "refused">,
  { allowExecutable, message, onlyWhenPassed, changed, secrets }: RunCommit,
): Promise<CommittedRun> {
  if (onlyWhenPassed && !passed) {
    return { branch: null, executable: [], notCommitted: changed ? HAS_FAILED : null, refused: found };
  }
  // What a save that it began with differs by is not its doing.
  if (!changed) return { branch: null, executable: [], notCommitted: null, refused: found };
  // Nothing runs in it any more.
  await store.write(record);
  const withLater = (refused: readonly RefusedPath[]) => [
    ...(found ?? []),
    ...refused.filter(({ reason }) => reason === HOLDS_SECRET || reason === MAKES_REPOSITORY),
  ];
  try {
    const { branch, executable, refused } = await commitSnapshot(caller, {
      snapshot: record.id,
      into: "branch",
      message,
      allowExecutable,
      includeIgnored: false,
      dryRun: false,
      secrets,
    });
    return { branch, executable, notCommitted: null, refused: withLater(refused) };
  } catch (cause) {
    if (!(cause instanceof KaiError) || caller.interrupted?.aborted) throw cause;
    if (cause.code !== "E109") return { branch: null, executable: [], notCommitted: whyNot(cause), refused: found };
    const { refused = [] } = (cause.data ?? {}) as { readonly refused?: readonly RefusedPath[] };
    return { branch: null, executable: [], notCommitted: null, refused: withLater(refused) };
  }
}

const HAS_FAILED = "it has failed, and `rollback_on_error` drops that.";

/** The hint of the error speaks of a snapshot that stays. */
const whyNot = ({ message, data }: KaiError): string =>
  data?.["executable"] === undefined ? message : `${message} \`--allow-executable\` takes it all the same.`;
