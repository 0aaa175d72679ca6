import type { SetRight } from "../snapshot/abandoned-commands.js";
import type { LeftSnapshot, PrunedSnapshot } from "../snapshot/prune-due.js";
import type { PassedOver } from "../snapshot/trusted-temp-dir.js";
import type { Output } from "./output.js";
import { oneLine } from "./style.js";

interface Swept extends SetRight {
  readonly pruned: readonly PrunedSnapshot[];
  readonly orphans: readonly string[];
}

const MOST_NAMED = 20;

/**
 * A line for each snapshot that went, and below it for what is lost with it; for what belonged to none, for each command that was
 * ended, and each snapshot that goes on.
 */
export function prunedLines({ pruned, orphans, ended, resumed }: Swept, { style }: Output, dryRun = false): string[] {
  const verb = dryRun ? "Would remove" : `${style.green("✓")} Removed`;
  return [
    ...pruned.flatMap((each) => [
      `${verb} ${each.id} (${each.version}): ${each.reason}${savedOf(each)}`,
      ...lostLines(each, style.yellow(dryRun ? "would be lost" : "lost")),
    ]),
    ...orphans.map((name) => `${verb} ${name}, which belonged to no snapshot`),
    ...ended.map(
      ({ snapshot, execution }) =>
        `${style.green("✓")} Ended the command ${execution} in ${snapshot}: its caller had been killed`,
    ),
    ...resumed.map((id) => `${style.green("✓")} ${id} goes on: whoever held it still was killed`),
  ];
}

export function warnLeft({ left }: { readonly left: readonly LeftSnapshot[] }, output: Output): void {
  for (const { id, reason, hint } of left)
    output.warn(`${id} is left as it was: ${reason}${hint === null ? "" : ` ${hint}`}`);
}

export function warnPassedOver({ passedOver }: { readonly passedOver: PassedOver | null }, output: Output): void {
  if (passedOver !== null) output.warn(`What was left in ${passedOver.folder} stays: ${passedOver.why}`);
}

/** What could be saved nowhere; of many the first. */
function lostLines({ refused }: PrunedSnapshot, verb: string): string[] {
  const named = refused.slice(0, MOST_NAMED).map(({ path, reason }) => `  ${verb}  ${oneLine(path)}: ${reason}`);
  const more = refused.length - named.length;
  return more > 0 ? [...named, `  ${verb}  and ${more} more`] : named;
}

/** Where what it had changed is kept, or would be; empty where that is nothing. */
export function savedOf({ id, kept, wouldSave }: Pick<PrunedSnapshot, "id" | "kept" | "wouldSave">): string {
  if (wouldSave) return `; what it has changed would be saved on refs/kai/snapshots/${id}`;
  return kept === null ? "" : `; what it had changed is ${kept.slice(0, 10)} on refs/kai/snapshots/${id}`;
}
