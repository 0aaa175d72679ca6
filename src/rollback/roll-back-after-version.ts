import { type AfterVersion, afterVersion } from "../trigger/version-before.js";
import type { RollbackCaller } from "./decided.js";
import type { RollbackOptions } from "./request.js";
import { type RollbackResult, rollBack } from "./rollback.js";

/** A rollback, and the version that was made before it of what it left. */
export type VersionedRollback = AfterVersion<RollbackResult>;

/** Goes back, and where kai.yaml says so makes a version first of what is committed and in none yet. Not before an emergency. */
export const rollBackAfterVersion = (caller: RollbackCaller, options: RollbackOptions): Promise<VersionedRollback> =>
  afterVersion(caller, {
    name: "a rollback",
    dryRun: options.dryRun ?? false,
    trustCommands: options.trustCommands ?? false,
    urgent: options.type === "emergency" ? "an emergency takes no time for it" : undefined,
    run: (each, how) => rollBack(each, { ...options, ...how }),
  });
