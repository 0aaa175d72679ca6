import { KaiError } from "../error.js";
import { noSuchVersion } from "../version/find-asked.js";
import { findVersion, type History, type KnownVersion, versionInForce } from "../version/history.js";
import type { VersionNumber } from "../version/number.js";

export interface RollbackRequest {
  /** Go back to a withdrawn version, over changes that are not committed. */
  readonly force: boolean;
  /** Go back to a version of another tool, which nothing proves. */
  readonly unproven: boolean;
}

/** What a rollback of the whole version will do; nothing has been touched. */
export interface RollbackPlan {
  readonly type: "version";
  readonly from: KnownVersion | undefined;
  readonly to: KnownVersion;
  readonly steps: readonly { readonly type: StepType; readonly does: string }[];
  readonly risks: readonly string[];
}

export type StepType = "backup_current" | "validate_target" | "restore_code" | "cleanup";

/** Plans the way back to `to`. E101 where there is no such version or it is not fit to go back to, E109 where it is in force. */
export function planRollback(history: History, to: VersionNumber, request: RollbackRequest): RollbackPlan {
  const target = findVersion(history, to);
  if (!target) throw noSuchVersion(history, to);
  const from = versionInForce(history);
  if (target.type === "foreign" && !request.unproven) {
    throw new KaiError("E101", `${target.tag} was made by another tool: nothing proves what it holds.`, {
      hint: "`git kai-version verify` says what is known of it; `--unproven` goes back to it all the same.",
    });
  }
  if (target.withdrawn && !request.force) {
    throw new KaiError("E101", `${target.tag} was withdrawn by a rollback.`, {
      hint: "`git kai-version log` shows when and by whom; `--force` goes back to it all the same.",
    });
  }
  return { type: "version", from, to: target, steps: STEPS, risks: risksOf(history, target, from) };
}

const STEPS: RollbackPlan["steps"] = [
  { type: "validate_target", does: "verify the target's signature and its content" },
  { type: "backup_current", does: "save what would be overwritten, if anything" },
  { type: "restore_code", does: "commit the target's tree and put it into the working tree" },
  { type: "cleanup", does: "remove what was staged" },
];

function risksOf(history: History, target: KnownVersion, from: KnownVersion | undefined): string[] {
  const risks: string[] = [];
  if (target.withdrawn) risks.push(`${target.tag} was withdrawn before`);
  if (target.type === "foreign") risks.push(`${target.tag} has no record`);
  if (from && from.number.major !== target.number.major) {
    risks.push(`crosses a major version: ${from.number.major} -> ${target.number.major}`);
  }
  if (history.current !== null && from === undefined) risks.push("the tag of the version in force is missing");
  return risks;
}
