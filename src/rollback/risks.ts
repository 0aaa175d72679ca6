import { describeStanding, type Standing } from "../version/standing.js";
import type { JudgedCondition } from "./conditions.js";
import { blockedState, fileRisks } from "./file-risks.js";
import type { LackingState } from "./lacking-state.js";
import { roughSpan } from "./rough-span.js";

/** What may go wrong, and how much that is. */
export interface Risk {
  readonly kind:
    | "breaking_change"
    | "migration"
    | "dirty_files"
    | "untracked_files"
    | "condition"
    | "dependencies_stay"
    | "submodules"
    | "withdrawn_target"
    | "deprecated_target"
    | "archived_target"
    | "unproven_target"
    | "untested_target"
    | "no_config"
    | "deployment_stays"
    | "depth"
    | "state_missing"
    | "state_blocked"
    | "state_older"
    | "state_newer"
    | "commands_not_run"
    | "current_missing"
    | "short_backup"
    | "state_gone"
    | "left_stopped";
  readonly severity: "low" | "medium" | "high";
  readonly message: string;
}

/** What risks are judged by. */
export interface RiskFacts {
  readonly from: { readonly version: string; readonly major: number } | undefined;
  readonly to:
    | {
        readonly name: string;
        readonly major: number;
        readonly withdrawn: boolean;
        readonly standing: Standing | null;
        readonly foreign: boolean;
      }
    | undefined;
  /** Whether it never was in force, and has not passed the tests that are asked for. */
  readonly untested: boolean;
  /** Whether it has no kai.yaml that can be read today. */
  readonly lacksConfig: boolean;
  /** Messages of the findings that break something between the two. */
  readonly breaking: readonly string[];
  /** Why the state would have to be migrated. */
  readonly migration: readonly string[];
  readonly migrates: "left" | "gone to" | null;
  readonly dirty: number;
  /** Whether changed files are saved and replaced; otherwise they refuse the rollback. */
  readonly forced: boolean;
  /** Paths (latin1) that git does not track and that stand where files of the target go. */
  readonly obstacles: readonly string[];
  /** Whether they refuse until they are moved away, because an operation is taken back. */
  readonly takesBack: boolean;
  /** Conditions that are required and do not hold, and whether they refuse the rollback. */
  readonly broken: readonly JudgedCondition[];
  readonly enforced: boolean;
  /** Whether lock files differ, and nothing installs what they name. */
  readonly dependenciesStay: boolean;
  /** Whether a target that was withdrawn refuses the rollback. */
  readonly refusesWithdrawn: boolean;
  /** Whether a target that nothing proves refuses it. */
  readonly refusesForeign: boolean;
  /** Submodules that the target has on another commit. */
  readonly submodules: number;
  readonly depth: number;
  readonly maxDepth: number;
  /** Whether more than that refuse the rollback. */
  readonly refusesDepth: boolean;
  /** The version that stays deployed, although another one or none comes into force; null where it is switched, or none is. */
  readonly deploymentStays: string | null;
  /** When the state was captured that is put in place; null where none is. */
  readonly capturedAt: Date | null;
  /** Whether the live state stays, and a version above the target is in force. */
  readonly keepsNewerState: boolean;
  /** What is not here of the state that would go back; null where all is, or none does. */
  readonly lackingState: LackingState | null;
  /** Paths (latin1) of state that goes back where something is in the way that is no file. */
  readonly blockedState: readonly string[];
  /** Whether what is saved of the live state goes with the next operation that saves some. */
  readonly savedUntilNext: boolean;
  /** Whether live state was replaced by what is taken back, and what was saved of it is not here any more. */
  readonly stateIsGone: boolean;
  readonly currentMissing: boolean;
  /** Why commands of the lifecycle are not run; null where they are, or there are none. */
  readonly commandsNotRun: string | null;
  readonly leftStopped: boolean;
  readonly now: Date;
}

/** The risks of a rollback, the worst first. */
export function assessRisks(facts: RiskFacts): Risk[] {
  const risks: Risk[] = [];
  const add = (severity: Risk["severity"], kind: Risk["kind"], message: string) =>
    risks.push({ kind, severity, message });
  const { from, to } = facts;
  if (to?.foreign) {
    const message = `${to.name} has no record: nothing proves what it holds`;
    const refused = facts.refusesForeign ? "; it is refused without `--unproven`" : "";
    add("high", "unproven_target", `${message}${refused}`);
  }
  if (facts.untested) {
    add(
      "high",
      "untested_target",
      "the target never was in force, and has not passed its tests (require_snapshot_test)",
    );
  }
  if (facts.lacksConfig)
    add("high", "no_config", "the target has no kai.yaml that can be read today: this one's commands are used");
  risks.push(...facts.broken.map((each) => brokenCondition(each, facts)), ...withdrawn(facts), ...givenUp(to));
  if (from && to && from.major !== to.major) {
    add("medium", "breaking_change", `crosses a major version: ${from.major} -> ${to.major}`);
  }
  for (const message of facts.breaking) add("medium", "breaking_change", message);
  if (!facts.migrates) for (const message of facts.migration) add("medium", "migration", message);
  if (facts.migrates)
    add("medium", "migration", `the live state is converted by the command of the version that is ${facts.migrates}`);
  risks.push(...fileRisks(facts));
  if (facts.submodules > 0) {
    add(
      "low",
      "submodules",
      "submodules are left as they are: `git submodule update` checks out what the target names",
    );
  }
  if (facts.depth > facts.maxDepth) {
    const message = `${facts.depth} versions back, more than max_rollback_depth (${facts.maxDepth})`;
    add("high", "depth", facts.refusesDepth ? `${message}; it is refused without \`--force\`` : message);
  }
  if (facts.deploymentStays !== null) {
    add(
      "medium",
      "deployment_stays",
      `${facts.deploymentStays} stays deployed: \`deploy current\` puts there what is in force then`,
    );
  }
  if (facts.capturedAt) {
    add(
      "medium",
      "state_older",
      `the state goes back ${roughSpan(facts.now.getTime() - facts.capturedAt.getTime())}, to when it was captured`,
    );
  }
  if (facts.lackingState) risks.push(missingState(facts.lackingState));
  risks.push(...blockedState(facts));
  if (facts.keepsNewerState) add("low", "state_newer", "the live state stays: a newer version wrote it");
  if (facts.savedUntilNext) {
    add(
      "medium",
      "short_backup",
      "what is saved of the live state is kept until the next rollback saves some, no longer",
    );
  }
  if (facts.stateIsGone) {
    add(
      "high",
      "state_gone",
      "the live state of before is not here any more: it cannot be put back, and that of now stays",
    );
  }
  if (facts.currentMissing) add("low", "current_missing", "the tag of the version in force is missing");
  if (facts.commandsNotRun !== null) add("medium", "commands_not_run", facts.commandsNotRun);
  if (facts.leftStopped) {
    add(
      "high",
      "left_stopped",
      "the target has no lifecycle.start, or the policy no start_agent: the agent stays stopped",
    );
  }
  const weight = { high: 0, medium: 1, low: 2 };
  return risks.sort((a, b) => weight[a.severity] - weight[b.severity]);
}

const brokenCondition = ({ type, problem }: JudgedCondition, { enforced }: RiskFacts): Risk => {
  const message = `${type} is required and does not hold: ${problem}`;
  return enforced
    ? { kind: "condition", severity: "high", message: `${message}; it is refused without \`--force\`` }
    : { kind: "condition", severity: "medium", message };
};

function withdrawn({ to, refusesWithdrawn }: RiskFacts): Risk[] {
  if (!to?.withdrawn) return [];
  const message = `${to.name} was withdrawn before`;
  return refusesWithdrawn
    ? [{ kind: "withdrawn_target", severity: "high", message: `${message}; it is refused without \`--force\`` }]
    : [{ kind: "withdrawn_target", severity: "medium", message }];
}

function givenUp(to: RiskFacts["to"]): Risk[] {
  const standing = to?.standing;
  if (!standing) return [];
  const message = `${to.name} is ${describeStanding(standing)}`;
  if (standing.status === "archived") return [{ kind: "archived_target", severity: "high", message }];
  return standing.status === "deprecated" ? [{ kind: "deprecated_target", severity: "medium", message }] : [];
}

const missingState = ({ why, refuses }: LackingState): Risk =>
  refuses
    ? { kind: "state_missing", severity: "high", message: `${why}; it is refused without \`--keep-state\`` }
    : { kind: "state_missing", severity: "medium", message: `${why}: the agent goes on with its live state` };
