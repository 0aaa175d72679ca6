import { KaiError } from "../error.js";
import type { KnownVersion } from "./history.js";

/** Refuses (E101) a version that another tool made. */
export function requireProvable(version: KnownVersion): KnownVersion {
  if (version.type !== "foreign") return version;
  throw new KaiError("E101", `${version.tag} was made by another tool: nothing proves what it holds.`, {
    hint: "`git kai-version create` makes a version that can be proven.",
  });
}
