import type { OperationKind } from "../operation/entry.js";
import type { StartShell } from "../system/start-shell.js";
import type { Caller } from "../version/writing-session.js";
import type { Prepared } from "./gather-facts.js";
import type { RollbackPlan } from "./plan.js";
import type { RollbackRequest } from "./request.js";
import type { NewVersion } from "./restore-tree.js";
import type { StepListener } from "./step-log.js";
import type { Ground } from "./survey.js";

/** Where the commands of a rollback run that is only rehearsed. */
export interface Shells {
  readonly usual: StartShell;
  /** With the network that it takes to install dependencies, where there is one. */
  toInstall(): Promise<StartShell>;
}

/** A caller, and whoever wants to see a rollback while it runs. */
export interface RollbackCaller extends Caller {
  /** Default: on this host. */
  readonly shells?: Shells | undefined;
  readonly onStep?: StepListener | undefined;
  /** Is told what commands print, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** What log, commit and note say of it. */
export interface Telling {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly message: string;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** The commit whose note tells of it; undefined for none. */
  readonly noteOn: string | undefined;
}

/** All that was read and decided before anything is touched. */
export interface Decided {
  readonly request: RollbackRequest;
  readonly ground: Ground;
  readonly prepared: Prepared;
  readonly plan: RollbackPlan;
  /** The version that has to be made; undefined where one is there. */
  readonly minted: Pick<NewVersion, "number" | "tag"> | undefined;
  readonly telling: Telling;
}
