import type { KnownVersion } from "../version/history.js";
import { compareNumbers } from "../version/number.js";
import type { WritingSession } from "../version/writing-session.js";
import { enforcesConditions, isBroken, type JudgedCondition } from "./conditions.js";
import type { LackingState } from "./lacking-state.js";
import type { StateSource } from "./plan.js";
import type { RollbackRequest } from "./request.js";
import { refusesDepth } from "./require-depth.js";
import { assessRisks, type Risk } from "./risks.js";
import type { Ground } from "./survey.js";

/** Not where it is what comes into force. */
const deploymentStays = ({ deployed, version }: Ground): string | null =>
  deployed && !deployed.next && deployed.version !== version?.number.text ? deployed.version : null;

const isNewer = (from: KnownVersion | undefined, to: KnownVersion | undefined): boolean =>
  from !== undefined && to !== undefined && compareNumbers(from.number, to.number) > 0;

/** The risks of what was read and of what is to be done. */
export function risksOf(
  { history, at }: WritingSession,
  ground: Ground,
  plan: {
    state: StateSource;
    lacking: LackingState | null;
    request: Pick<RollbackRequest, "force" | "type" | "recovers" | "unproven">;
    conditions: readonly JudgedCondition[];
    obstacles: readonly string[];
    blockedState: readonly string[];
    putBack: object | undefined;
    install: object | null;
    keepsBackup: boolean;
    notRun: string | null;
    leftStopped: boolean;
    untested: boolean;
  },
): Risk[] {
  const { from, config } = ground;
  const { version, capture } = ground.target;
  const { state } = plan;
  const findings = ground.compatibility?.findings ?? [];
  return assessRisks({
    from: from && { version: from.number.text, major: from.number.major },
    to: version && {
      name: version.tag,
      major: version.number.major,
      withdrawn: version.withdrawn,
      standing: version.standing,
      foreign: version.type === "foreign",
    },
    untested: plan.untested,
    lacksConfig: ground.target.config === null,
    breaking: findings.filter(({ level }) => level === "major").map(({ message }) => message),
    migration: state.kind === "capture" ? [] : ground.migration,
    migrates: state.kind === "migrated" ? (state.forward ? "gone to" : "left") : null,
    dirty: ground.dirty.length,
    forced: plan.request.force,
    obstacles: plan.obstacles,
    dependenciesStay: ground.environmentChanges && !plan.putBack && plan.install === null,
    // `undo` asks for no condition.
    broken: ground.takesBack && plan.request.recovers === undefined ? [] : plan.conditions.filter(isBroken),
    enforced: enforcesConditions(ground, plan.request),
    takesBack: ground.takesBack,
    refusesWithdrawn: !plan.request.force && plan.request.type !== "snapshot",
    refusesForeign: !plan.request.unproven,
    submodules: ground.submodules,
    depth: ground.depth,
    maxDepth: config.rollback_system.max_rollback_depth,
    refusesDepth: refusesDepth(plan.request, config.rollback_system),
    deploymentStays: deploymentStays(ground),
    capturedAt: state.kind === "capture" ? (capture?.at ?? null) : null,
    keepsNewerState: state.kind === "live" && capture !== undefined && isNewer(from, version),
    lackingState: plan.lacking,
    blockedState: plan.blockedState,
    savedUntilNext: state.kind !== "live" && !plan.keepsBackup,
    stateIsGone: ground.target.stateIsGone,
    currentMissing: history.current !== null && from === undefined,
    commandsNotRun: plan.notRun,
    leftStopped: plan.leftStopped,
    now: at,
  });
}
