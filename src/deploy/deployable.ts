import { KaiError } from "../error.js";
import type { KnownVersion } from "../version/history.js";
import { requireProvable } from "../version/require-provable.js";

/** Refuses (E101) a version that another tool made, or that is withdrawn. */
export function requireDeployable(version: KnownVersion): KnownVersion {
  requireProvable(version);
  if (!version.withdrawn) return version;
  throw new KaiError("E101", `${version.tag} was withdrawn by a rollback.`, {
    hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use.",
  });
}
