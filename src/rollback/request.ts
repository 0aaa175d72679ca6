import type { Component } from "../agent/component.js";
import type { VersionNumber } from "../version/number.js";
import type { DecidedOn } from "./overtaken.js";
import type { RollbackType } from "./plan.js";

/** How a rollback is tried on a copy. */
export interface Rehearsed {
  /** False where commands could meet the agent that runs: it is not stopped, started or asked then. */
  readonly withAgent: boolean;
  /** The copy of what is deployed, absolute; null where nothing is. */
  readonly root: string | null;
}

/** What somebody asks for. */
export interface RollbackRequest {
  /** A version, its tag or `current`; for a snapshot the id of an operation, or how it begins. */
  readonly to: string;
  readonly type: RollbackType;
  /** Which parts go back, of type selective. */
  readonly components: readonly Component[];
  /** Which files, folders or globs go back, of type partial. */
  readonly paths: readonly string[];
  /** A policy of the version in force; undefined for the usual one. */
  readonly policy: string | undefined;
  /** Leave the agent's live state as it is, or take it back by lifecycle.migrate. */
  readonly keepState: boolean;
  /** Go back to a withdrawn version, further than max_rollback_depth, over changes that are not committed. */
  readonly force: boolean;
  /** Go back to a version of another tool, which nothing proves. */
  readonly unproven: boolean;
  /** Run the commands of kai.yaml although nobody has confirmed where this clone's log comes from. */
  readonly trustCommands: boolean;
  readonly dryRun: boolean;
  /** In a plan: the number of a version that is made before. */
  readonly taken: VersionNumber | undefined;
  /** Undefined for one that is meant. */
  readonly rehearsal: Rehearsed | undefined;
  /** The operation whose failure this one mends; undefined for one that a person asked for. */
  readonly recovers: string | undefined;
  /** Whether it is known that no agent runs: none is started again where nothing happens. */
  readonly noneRuns: boolean;
  /** Refuse it where something else is in force by now (E113); undefined to go back whatever is. */
  readonly decidedOn: DecidedOn | undefined;
  /** Milliseconds for all of it but the cleanup, where rollback_timeout and the steps give more; undefined for no other bound. */
  readonly withinMs: number | undefined;
}

/** What has to be said; the rest is as usual. */
export type RollbackOptions = Pick<RollbackRequest, "to"> & Partial<RollbackRequest>;

export const requestOf = (options: RollbackOptions): RollbackRequest => ({
  type: "version",
  components: [],
  paths: [],
  policy: undefined,
  keepState: false,
  force: false,
  unproven: false,
  trustCommands: false,
  dryRun: false,
  taken: undefined,
  rehearsal: undefined,
  recovers: undefined,
  noneRuns: false,
  decidedOn: undefined,
  withinMs: undefined,
  ...options,
});

/** Whether it takes an operation back that did not hold, as `undo` does. */
export const isWayOut = ({ recovers, type }: RollbackRequest): boolean => recovers !== undefined && type === "snapshot";
