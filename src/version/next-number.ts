import { applyBump, type Bump, highestBump } from "../change/bump.js";
import { KaiError } from "../error.js";
import type { History, KnownVersion } from "./history.js";
import { compareNumbers, makeNumber, type VersionNumber } from "./number.js";
import type { VersionType } from "./record.js";

export interface NumberRequest {
  readonly type: Exclude<VersionType, "rollback"> | undefined;
  readonly bump: Exclude<Bump, "none"> | undefined;
  readonly exact: VersionNumber | undefined;
}

export interface NumberPolicy {
  /** The least that an auto version bumps; undefined where auto versions are switched off. */
  readonly autoIncrement: Exclude<Bump, "none"> | undefined;
  /** Refuse a version whose bump is below the required one. */
  readonly compatibilityChecking: boolean;
}

const TYPE_BUMPS = { auto: "patch", manual: "minor", release: "major" } as const;

/** The highest version that is no pre-release, or of all. */
export function highestVersion(history: Pick<History, "versions">): KnownVersion | undefined {
  return history.versions.findLast((each) => each.number.prerelease.length === 0) ?? history.versions.at(-1);
}

/** The number that a new one must lie above: the highest ever used that is no pre-release, or of all. */
function highestNumber(history: History): VersionNumber | undefined {
  const used = [highestVersion(history)?.number, ...history.reserved.map((each) => each.number)];
  return used
    .filter((number) => number !== undefined)
    .sort((a, b) => Number(b.prerelease.length > 0) - Number(a.prerelease.length > 0) || compareNumbers(a, b))
    .at(-1);
}

/** The bump from the version in force that an automatic version takes. */
const derivedBump = (required: Bump, policy: NumberPolicy): Bump =>
  highestBump([policy.autoIncrement ?? "patch", required]);

/**
 * The number of a new version: never one that was used before. Without a wish it is derived from what changed; it lies
 * above the highest ever used, so a fix after a rollback from 1.4.0 to 1.2.0 is 1.4.1. E108 where the wish cannot be had.
 */
export function chooseNumber(
  history: History,
  inForce: KnownVersion | undefined,
  required: Bump,
  request: NumberRequest,
  policy: NumberPolicy,
): VersionNumber {
  if (request.exact !== undefined) return checkExact(history, inForce, required, request.exact, policy);
  const highest = highestNumber(history);
  const wanted = wantedBump(required, request, policy);
  if (highest === undefined) return makeNumber(1, 0, 0);
  if (inForce && policy.compatibilityChecking) checkBump(inForce, wanted, required);
  const numbers = applyBump(highest, wanted);
  let number = makeNumber(numbers.major, numbers.minor, numbers.patch);
  // A number may be reserved by a tag that is no version of ours.
  while (isUsed(history, number)) number = makeNumber(number.major, number.minor, number.patch + 1);
  return number;
}

function wantedBump(required: Bump, request: NumberRequest, policy: NumberPolicy): Bump {
  if (request.bump !== undefined) return request.bump;
  if (request.type === "manual" || request.type === "release") return TYPE_BUMPS[request.type];
  if (policy.autoIncrement === undefined) {
    throw new KaiError("E108", "Automatic versions are switched off: auto_increment is false.", {
      hint: "Name the bump, `--bump minor`, or the type, `--type manual`.",
    });
  }
  return derivedBump(required, policy);
}

function checkBump(inForce: KnownVersion, wanted: Bump, required: Bump): void {
  if (highestBump([wanted, required]) === wanted) return;
  throw new KaiError(
    "E108",
    `The changes since ${inForce.number.text} need a ${required} version, not a ${wanted} one.`,
    {
      hint: `\`git kai-version next\` shows why; \`--bump ${required}\` takes it.`,
      data: { required },
    },
  );
}

function checkExact(
  history: History,
  inForce: KnownVersion | undefined,
  required: Bump,
  exact: VersionNumber,
  policy: NumberPolicy,
): VersionNumber {
  const used = [...history.versions, ...history.reserved].find((each) => compareNumbers(each.number, exact) === 0);
  if (used) {
    throw new KaiError("E108", `The number ${used.number.text} is taken by the tag ${used.tag}.`, {
      hint: "A number is never used twice; `git kai-version next` says which is next.",
    });
  }
  const newer = usedAbove(history, exact);
  if (newer) {
    throw new KaiError("E108", `${exact.text} lies below ${newer.text}, which its line has used already.`, {
      hint: `Take a number above it, such as ${newer.major}.${newer.minor}.${newer.patch + 1}.`,
    });
  }
  requireLine(history, exact);
  const above = inForce !== undefined && compareNumbers(exact, inForce.number) > 0;
  if (!above || !policy.compatibilityChecking || exact.prerelease.length > 0) return exact;
  const given = bumpBetween(inForce.number, exact);
  if (highestBump([given, required]) !== given) checkBump(inForce, given, required);
  return exact;
}

/**
 * Refuses (E108) a number below the highest that goes on with no maintenance line: neither with one `major.minor` that there
 * is nor, as its newest, with one `major`.
 */
function requireLine(history: History, exact: VersionNumber): void {
  const highest = highestNumber(history);
  if (highest === undefined || highest.prerelease.length > 0 || compareNumbers(exact, highest) > 0) return;
  const numbers = [...history.versions, ...history.reserved].map((each) => each.number);
  const ofMajor = numbers.filter(({ major }) => major === exact.major);
  if (ofMajor.some(({ minor }) => minor === exact.minor)) return;
  if (ofMajor.length > 0 && ofMajor.every((number) => compareNumbers(exact, number) > 0)) return;
  const line = ofMajor.length === 0 ? `${exact.major}.x` : `${exact.major}.${exact.minor}.x`;
  throw new KaiError("E108", `${exact.text} lies below ${highest.text}, and there is no line ${line} to go on with.`, {
    hint: "A number below the highest is for the maintenance of a line that there is; `git kai-version next` says which is next.",
  });
}

/** The highest number of the line `major.minor` that is above `exact`; undefined where none was used. */
const usedAbove = (history: History, exact: VersionNumber): VersionNumber | undefined =>
  [...history.versions, ...history.reserved]
    .map((each) => each.number)
    .filter(({ major, minor }) => major === exact.major && minor === exact.minor)
    .filter((number) => compareNumbers(number, exact) > 0)
    .sort(compareNumbers)
    .at(-1);

const isUsed = (history: History, number: VersionNumber): boolean =>
  [...history.versions, ...history.reserved].some((each) => compareNumbers(each.number, number) === 0);

function bumpBetween(from: VersionNumber, to: VersionNumber): Bump {
  if (to.major !== from.major) return "major";
  return to.minor !== from.minor ? "minor" : "patch";
}

/** Whether a new version comes into force: not a pre-release, nor one below the highest (a maintenance line). */
export function comesIntoForce(history: History, number: VersionNumber): boolean {
  const highest = highestNumber(history);
  return number.prerelease.length === 0 && (highest === undefined || compareNumbers(number, highest) > 0);
}

/** What kai.yaml says of numbers. */
export function numberPolicy(settings: {
  auto_increment: string | boolean;
  compatibility_checking: boolean;
}): NumberPolicy {
  const { auto_increment: auto } = settings;
  return {
    autoIncrement: auto === false ? undefined : auto === true ? "patch" : (auto as Exclude<Bump, "none">),
    compatibilityChecking: settings.compatibility_checking,
  };
}
