import { describeStatus, type PromotedVersion } from "../version/promote.js";
import type { Standing } from "../version/standing.js";
import type { Output } from "./output.js";
import { oneLine } from "./style.js";

/** `production (stable)`; of what is given up also why. */
export const describeStanding = ({ reason, ...said }: Omit<Standing, "since">): string =>
  reason === null ? describeStatus(said) : `${describeStatus(said)}: ${oneLine(reason)}`;

/** What `promote`, `deprecate` and `archive` did, or would do. */
export function describePromoted(promoted: PromotedVersion & { readonly dryRun: boolean }, { style }: Output): string {
  const { tag, previous, reason, dryRun } = promoted;
  const is = `${style.bold(tag)} ${dryRun ? "would be" : "is"} ${describeStatus(promoted)}`;
  const lines = [dryRun ? is : `${style.green("✓")} ${is}`];
  if (reason !== null) lines.push(`  reason  ${oneLine(reason)}`);
  if (previous !== null) lines.push(`  before  ${describeStanding(previous)}`);
  return lines.join("\n");
}
