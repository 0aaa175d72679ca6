import { KaiError } from "../error.js";
import { createVersion } from "../snapshot/gate/create-version.js";
import { openAgent } from "../version/agent-repository.js";
import type { CreatedState } from "../version/create.js";
import { findNumber, type VersionNumber } from "../version/number.js";
import type { Caller, WritingSession } from "../version/writing-session.js";
import { automaticVersion } from "./automatic-version.js";
import { RememberedPassphrases } from "./remembered-passphrases.js";
import { triggerInForce } from "./trigger-in-force.js";
import { whyNothingNew } from "./what-is-new.js";

const OCCASION = "before-operation";

/** The version that the occasion `before-operation` made of what was there. */
export interface VersionBefore {
  /** Null where it could not be made. */
  readonly version: string | null;
  /** Null in a dry run, too. */
  readonly operation: string | null;
  /** What was captured with it. */
  readonly state: CreatedState | null;
  /** Why it could not be made; null where it was. */
  readonly why: string | null;
}

/** What came of an operation, and of the version before it; null where none was asked for, or nothing was new. */
export type AfterVersion<T> = T & { readonly versionBefore: VersionBefore | null };

/** The operation that a version is made before. */
export interface OperationToCome<C, T> {
  /** With its article. */
  readonly name: string;
  readonly dryRun: boolean;
  readonly trustCommands: boolean;
  /** Why no time is to be lost with a version; undefined where there is time. */
  readonly urgent?: string | undefined;
  /** Does it, or plans it; `taken` is the number that a version made before it would take. */
  run(caller: C, how: { readonly dryRun: boolean; readonly taken?: VersionNumber | undefined }): Promise<T>;
}

/**
 * Runs an operation, and where kai.yaml says so (`lifecycle.trigger`, before-operation) makes a version first of what is
 * committed and in no version yet, so that one can come back to it by its number. What is in force stays. A version that
 * cannot be made holds nothing up: the result says why. Before an operation that is refused none is made.
 */
export async function afterVersion<C extends Caller, T extends object>(
  asked: C,
  operation: OperationToCome<C, T>,
): Promise<AfterVersion<T>> {
  const { dryRun, urgent } = operation;
  const opened = await openAgent(asked.cwd, asked.env, asked.onConfigGone);
  const passphrases = asked.askPassphrase && new RememberedPassphrases(asked.askPassphrase);
  const caller = { ...asked, askPassphrase: passphrases?.ask, onConfigGone: undefined };
  const runNow = async (versionBefore: VersionBefore | null, taken?: VersionNumber): Promise<AfterVersion<T>> => {
    return { ...(await operation.run({ ...caller, opened }, { dryRun, taken })), versionBefore };
  };
  if (!opened.config.lifecycle.trigger.on.includes(OCCASION)) return runNow(null);
  if (urgent !== undefined) return runNow({ version: null, operation: null, state: null, why: urgent });
  const foreseen = await tryVersion({ ...caller, opened }, operation, true);
  const taken = foreseen?.version ? findNumber(foreseen.version) : undefined;
  if (taken === undefined || dryRun) return runNow(foreseen, taken);
  // One that is refused is refused before anything is made.
  await operation.run(caller, { dryRun: true, taken });
  const versionBefore = await tryVersion(caller, operation, false);
  passphrases?.goOn();
  const done = await operation.run(caller, { dryRun: false }).catch((cause: unknown) => {
    throw withVersion(cause, versionBefore);
  });
  return { ...done, versionBefore };
}

/** Makes the version, or foresees it; null where nothing is new. */
async function tryVersion<C extends Caller, T>(
  caller: C,
  { name, trustCommands }: OperationToCome<C, T>,
  dryRun: boolean,
): Promise<VersionBefore | null> {
  let nothingNew = false;
  const occasion = async (session: WritingSession): Promise<string | undefined> => {
    const { on } = (await triggerInForce(session)).trigger;
    nothingNew = !on.includes(OCCASION) || (await whyNothingNew(session)) !== undefined;
    return nothingNew ? undefined : `what was there before ${name}`;
  };
  const { interrupted } = caller;
  const uninterrupted = caller.uninterrupted ?? (interrupted && ((part) => part(interrupted)));
  try {
    const request = { ...automaticVersion(occasion), moveCurrent: false, forgetsNothing: true, trustCommands, dryRun };
    const { version, operation, state } = await createVersion({ ...caller, uninterrupted }, request);
    return { version, operation, state, why: null };
  } catch (cause) {
    // Whatever it was, also the disk's: only somebody who does not want it any more ends it here.
    if (interrupted?.aborted) throw cause;
    return nothingNew ? null : { version: null, operation: null, state: null, why: (cause as Error).message };
  }
}

/** An error tells of the version that was made, as it stays. */
function withVersion(cause: unknown, versionBefore: VersionBefore | null): unknown {
  if (!(cause instanceof KaiError) || !versionBefore?.version) return cause;
  const { code, message, hint, exit, data } = cause;
  return new KaiError(code, message, { hint, exit, data: { ...data, versionBefore }, cause });
}
