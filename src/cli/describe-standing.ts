import type { PromotedVersion } from "../version/promote.js";
import { describeStanding, describeStatus, isGivenUp, type Standing } from "../version/standing.js";
import type { Output } from "./output.js";

/** What marks a version among others: whether it is withdrawn, and where it stands; empty where neither is said of it. */
export function statusMark(
  { withdrawn, standing }: { readonly withdrawn: boolean; readonly standing: Standing | null },
  { style }: Output,
): string {
  const stands = standing === null ? "" : describeStatus(standing);
  const given = standing !== null && isGivenUp(standing.status);
  if (!withdrawn) return given ? style.yellow(stands) : stands;
  return style.yellow(given ? `withdrawn, ${stands}` : "withdrawn");
}

/** What `promote`, `deprecate` and `archive` did, or would do. */
export function describePromoted(promoted: PromotedVersion & { readonly dryRun: boolean }, { style }: Output): string {
  const { tag, previous, reason, dryRun } = promoted;
  const is = `${style.bold(tag)} ${dryRun ? "would be" : "is"} ${describeStatus(promoted)}`;
  const lines = [dryRun ? is : `${style.green("✓")} ${is}`];
  if (reason !== null) lines.push(`  reason  ${reason}`);
  if (previous !== null) lines.push(`  before  ${describeStanding(previous)}`);
  return lines.join("\n");
}
