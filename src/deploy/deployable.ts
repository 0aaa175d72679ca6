import { KaiError } from "../error.js";
import type { KnownVersion } from "../version/history.js";

/** Refuses (E101) a version that another tool made. */
export function requireProvable(version: KnownVersion): KnownVersion {
  if (version.type !== "foreign") return version;
  throw new KaiError("E101", `${version.tag} was made by another tool: nothing proves what it holds.`, {
    hint: "`git kai-version create` makes a version that can be proven.",
  });
}

/** Refuses (E101) also one that is withdrawn. */
export function requireDeployable(version: KnownVersion): KnownVersion {
  requireProvable(version);
  if (!version.withdrawn) return version;
  throw new KaiError("E101", `${version.tag} was withdrawn by a rollback.`, {
    hint: "`git kai-version log` shows when and by whom; a rollback to it, or `undo`, takes it back into use.",
  });
}
