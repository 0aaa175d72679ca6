import type { AgentCommand } from "../system/agent-command.js";
import { compareNumbers } from "../version/number.js";
import type { AgentCommands } from "./agent-commands.js";
import type { Ground } from "./survey.js";

/** The command that takes live state from the version that is left to the one that is gone to. */
export interface ChosenMigration {
  /** Null where that version has none. */
  readonly command: AgentCommand | null;
  /** Object id of the commit whose files it is run among. */
  readonly commit: string;
  /** Whether it is the target's, and not that of the version that is left. */
  readonly forward: boolean;
}

/** Only the newer one of two versions knows the forms of both: back by the one that is left, forward by the target. */
export function chooseMigration(
  { from, target: { version }, head }: Ground,
  { before, after, named }: AgentCommands,
): ChosenMigration {
  const isSame = from !== undefined && version !== undefined && compareNumbers(version.number, from.number) === 0;
  // Nothing is to be converted from a version to itself, whatever lies on top of it.
  if (isSame) return { command: null, commit: version.commit, forward: true };
  const forward = from !== undefined && version !== undefined && compareNumbers(version.number, from.number) > 0;
  return forward
    ? { command: after.migrate, commit: version.commit, forward }
    : { command: before.migrate, commit: named?.commit ?? head, forward };
}
