import { KaiError } from "../error.js";
import { findVersion, type History, type KnownVersion, versionInForce } from "./history.js";
import { parseNumber, type VersionNumber } from "./number.js";

/** The version that a user named: a number with or without `v`, a tag of this agent, or `current`. E101, E107. */
export function findAsked(history: History, asked: string): KnownVersion {
  if (asked === "current") {
    const inForce = versionInForce(history);
    if (inForce) return inForce;
    throw new KaiError("E101", "No version is in force.", {
      hint: "`git kai-version list` shows the versions there are.",
    });
  }
  const byTag = history.versions.find((version) => version.tag === asked);
  if (byTag) return byTag;
  const number = parseNumber(asked);
  const version = findVersion(history, number);
  if (version) return version;
  throw noSuchVersion(history, number);
}

/** E101 with the versions that may have been meant. */
export function noSuchVersion(history: History, asked: VersionNumber): KaiError {
  const known = history.versions.filter((version) => version.type !== "foreign").slice(-5);
  const list = known.map((version) => version.number.text).join(", ");
  return new KaiError("E101", `There is no version ${asked.text}.`, {
    hint:
      list === ""
        ? "`git kai-version create` makes the first."
        : `The newest are ${list}; \`git kai-version list\` shows all.`,
    data: { versions: known.map((version) => version.number.text) },
  });
}
