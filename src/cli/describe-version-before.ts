import type { VersionBefore } from "../trigger/version-before.js";
import { warningsOf } from "./creating.js";
import type { Output } from "./output.js";

/** Says that no version of what is there could be made before an operation, which goes on all the same, or what its state lacks. */
export function warnOfVersionBefore(before: VersionBefore | null, output: Output): void {
  if (before?.why) output.warn(`No version was made before of what is there: ${before.why.replace(/\.?$/, ".")}`);
  if (before?.state) for (const warning of warningsOf(before.state)) output.warn(`${before.version}: ${warning}`);
}

/** The version that is made first, a line of a plan; none where there is none. */
export const plannedBefore = (before: VersionBefore | null, { style }: Output): string[] =>
  before?.version
    ? [`What is committed becomes ${style.bold(before.version)} first, which takes the role releaser, or is left out.`]
    : [];

/** The version that holds what was there, a line of what was done. */
export const madeBefore = (before: VersionBefore | null): string[] =>
  before?.version ? [`  before   what was committed is ${before.version}`] : [];
