import type { EndedCommand } from "../snapshot/abandoned-commands.js";
import type { PrunedSnapshot } from "../snapshot/prune-due.js";
import type { Output } from "./output.js";

interface Swept {
  readonly pruned: readonly PrunedSnapshot[];
  readonly orphans: readonly string[];
  readonly ended: readonly EndedCommand[];
}

/** A line for each snapshot that went, for what belonged to none, and for each command that was ended. */
export function prunedLines({ pruned, orphans, ended }: Swept, { style }: Output, dryRun = false): string[] {
  const verb = dryRun ? "Would remove" : `${style.green("✓")} Removed`;
  return [
    ...pruned.map(({ id, version, reason, kept }) => {
      const saved = kept === null ? "" : `; what it had changed is ${kept.slice(0, 10)} on refs/kai/snapshots/${id}`;
      return `${verb} ${id} (${version}): ${reason}${saved}`;
    }),
    ...orphans.map((name) => `${verb} ${name}, which belonged to no snapshot`),
    ...ended.map(
      ({ snapshot, execution }) =>
        `${style.green("✓")} Ended the command ${execution} in ${snapshot}: its caller had been killed`,
    ),
  ];
}
