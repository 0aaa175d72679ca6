import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
import { findVersion, type History, type KnownVersion, versionInForce } from "./history.js";
import { findNumber, type VersionNumber } from "./number.js";

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
  const number = findNumber(asked.replace(/^v/, ""));
  if (number === undefined) throw notAVersion(history, asked);
  const version = findVersion(history, number);
  if (version) return version;
  throw noSuchVersion(history, number);
}

/** E107 with the version that may have been meant: the highest that `1` or `v1.2` begins, or the nearest name. */
function notAVersion(history: History, asked: string): KaiError {
  const begun = /^v?\d+(?:\.\d+)?$/.test(asked) ? `${asked.replace(/^v/, "")}.` : undefined;
  const meant =
    (begun && history.versions.findLast(({ number }) => number.text.startsWith(begun))?.number.text) ??
    nearest(
      asked,
      history.versions.flatMap(({ number, tag }) => [tag, number.text]),
    );
  const list = "`git kai-version list` shows the versions there are.";
  return new KaiError("E107", `'${asked}' is not a semantic version, nor a version's tag.`, {
    hint:
      meant === undefined
        ? `Name a version such as 1.4.0, its tag, or \`current\`; ${list}`
        : `Did you mean ${meant}? ${list}`,
  });
}

/** E101 with the versions that may have been meant. */
function noSuchVersion(history: History, asked: VersionNumber): KaiError {
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
