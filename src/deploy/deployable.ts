import { KaiError } from "../error.js";
import type { KnownVersion } from "../version/history.js";
import { requireProvable } from "../version/require-provable.js";
import { describeStanding } from "../version/standing.js";

/** Refuses (E101) a version that another tool made, or that is withdrawn or archived. */
export function requireDeployable(version: KnownVersion): KnownVersion {
  requireProvable(version);
  const { tag, number, withdrawn, standing } = version;
  if (withdrawn) {
    throw new KaiError("E101", `${tag} was withdrawn by a rollback or an undo.`, {
      hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use.",
    });
  }
  if (standing?.status !== "archived") return version;
  throw new KaiError("E101", `${tag} is ${describeStanding(standing)}.`, {
    hint: `Nobody is to use it any more; \`git kai-version promote ${number.text} STATUS\` takes it back into use.`,
  });
}
