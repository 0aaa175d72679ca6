import type { LoggedEntry } from "../operation/entry.js";
import { type History, type KnownVersion, versionInForce } from "../version/history.js";
import { compareNumbers } from "../version/number.js";
import { describeStanding, type Standing, type Status } from "../version/standing.js";
import { stateHistoryOf } from "../version/state-history.js";
import { roughSpan } from "./rough-span.js";

/** A version that could be gone back to, and what speaks for and against it. */
export interface Suggestion {
  readonly version: string;
  readonly tag: string;
  /** Higher is better; only its order means something. */
  readonly score: number;
  readonly evidence: readonly string[];
  /** Milliseconds that it was in force, all times together. */
  readonly inForceMs: number;
  /** How often it was well after it came into force, and how often it was not, or did not even come into force. */
  readonly well: number;
  readonly failed: number;
  /** How often a rollback left it. */
  readonly left: number;
  /** Whether state was captured with it that nobody forgot since. */
  readonly hasState: boolean;
  /** What a releaser said last of it; null where none did. */
  readonly standing: Standing | null;
}

const HOUR = 3_600_000;

/**
 * Ranks the versions that a rollback could go to, the best first. What was in force for long, was well and was never left stands
 * before what is merely near; another major number counts against one, as the state may not be read there, and so does it that
 * a releaser gave it up.
 */
export function suggestTargets(history: History, now: Date): Suggestion[] {
  const here = versionInForce(history);
  const { forgotten } = stateHistoryOf(history.log);
  const tags = new Map(history.versions.map(({ number, tagId }) => [number.text, tagId]));
  const evidence = readEvidence(history.log, tags, now);
  return history.versions
    .filter((each) => each.type !== "foreign" && each !== here && each.number.prerelease.length === 0)
    .map((version) => {
      const known = { ...(evidence.get(version.tagId) ?? NOTHING), forgotten: forgotten.has(version.tag) };
      return judge(version, here, known, distance(history, version, here));
    })
    .sort((a, b) => b.score - a.score);
}

interface Evidence {
  /** How often it came into force. */
  readonly came: number;
  readonly inForceMs: number;
  readonly well: number;
  readonly failed: number;
  /** How often an operation towards it ended before it came into force. */
  readonly missed: number;
  readonly left: number;
}

const NOTHING: Evidence = { came: 0, inForceMs: 0, well: 0, failed: 0, missed: 0, left: 0 };

/** What the log (newest first) tells of each version, by its tag's object id; `tags` has those by the versions' numbers. */
function readEvidence(
  log: readonly LoggedEntry[],
  tags: ReadonlyMap<string, string>,
  now: Date,
): Map<string, Evidence> {
  const found = new Map<string, Evidence>();
  const add = (tag: string, more: Partial<Evidence>) => {
    const known = found.get(tag) ?? NOTHING;
    found.set(tag, {
      came: known.came + (more.came ?? 0),
      inForceMs: known.inForceMs + (more.inForceMs ?? 0),
      well: known.well + (more.well ?? 0),
      failed: known.failed + (more.failed ?? 0),
      missed: known.missed + (more.missed ?? 0),
      left: known.left + (more.left ?? 0),
    });
  };
  let until = now.getTime();
  for (const entry of log) {
    const at = Date.parse(entry.at);
    const { before, after } = entry.current;
    if (after) add(after.tag, { came: Number(before?.pointer !== after.pointer), inForceMs: Math.max(0, until - at) });
    until = at;
    if (entry.kind === "rollback" && before && before.tag !== after?.tag) add(before.tag, { left: 1 });
    const told = entry.kind === "outcome" ? toldBy(entry, tags) : undefined;
    if (told) add(told.tag, told.more);
  }
  return found;
}

/** What an outcome tells, and of which version; undefined where it tells of none. */
function toldBy(
  { current: { after }, details: { ok, of, happened, version, step, asked } }: LoggedEntry,
  tags: ReadonlyMap<string, string>,
): { readonly tag: string; readonly more: Partial<Evidence> } | undefined {
  const tagOf = (number: unknown) => (typeof number === "string" ? tags.get(number) : undefined);
  // Of a deployment that failed, too, nothing came into force.
  if (happened === false || of === null) {
    const tag = tagOf(version);
    return tag !== undefined && saysOfTarget(step) ? { tag, more: { missed: 1 } } : undefined;
  }
  // What is deployed may be another version than the one in force.
  const tag = asked === undefined ? after?.tag : tagOf(asked);
  return tag === undefined ? undefined : { tag, more: ok === true ? { well: 1 } : { failed: 1 } };
}

/** Whether a step that failed, or a deployment, for which there is none, tells of the version that was to come and not of the one that was left. */
const saysOfTarget = (step: unknown): boolean =>
  step === undefined ||
  ["validate_target", "restore_dependencies", "start_agent", "validate_rollback"].includes(String(step));

/** How many versions lie between. */
function distance(history: History, version: KnownVersion, here: KnownVersion | undefined): number {
  if (here === undefined) return 0;
  return Math.abs(history.versions.indexOf(here) - history.versions.indexOf(version));
}

/** What speaks for a version or against it. An archived one comes behind all others. */
const STANDINGS: Partial<Record<Status, number>> = { production: 25, deprecated: -60, archived: -300 };

function standingOf({ standing }: KnownVersion): (readonly [points: number, text: string])[] {
  const points = standing && STANDINGS[standing.status];
  return standing && points ? [[points, describeStanding(standing)]] : [];
}

function judge(
  version: KnownVersion,
  here: KnownVersion | undefined,
  { came, inForceMs, well, failed, missed, left, forgotten }: Evidence & { readonly forgotten: boolean },
  steps: number,
): Suggestion {
  const evidence: string[] = [];
  const newer = here !== undefined && compareNumbers(version.number, here.number) > 0;
  let score = 100 - 5 * steps;
  const count = (points: number, text: string) => {
    score += points;
    evidence.push(text);
  };
  if (newer) count(-60, "newer than the version in force");
  if (version.withdrawn) count(-80, "withdrawn");
  for (const [points, text] of standingOf(version)) count(points, text);
  if (came > 0) count(Math.min(30, Math.log2(1 + inForceMs / HOUR) * 5), `in force for ${roughSpan(inForceMs)}`);
  // What was never tried is no way back: a version made before the rollback that left it, say.
  else count(newer ? -50 : -20, "never in force");
  if (well > 0) count(20, `well after ${well} ${well === 1 ? "rollback" : "rollbacks"} to it`);
  if (failed > 0) count(-40 * failed, `not well after ${failed} ${failed === 1 ? "rollback" : "rollbacks"} to it`);
  if (missed > 0)
    count(-40 * missed, `did not come into force when it should, ${missed === 1 ? "once" : `${missed} times`}`);
  if (left > 0) count(-30 * left, `left by ${left} ${left === 1 ? "rollback" : "rollbacks"}`);
  if (here && here.number.major !== version.number.major) count(-25, `another major version than ${here.number.text}`);
  const hasState = version.state !== null && !forgotten;
  if (hasState) count(5, "its state was captured");
  else if (version.state !== null) count(-15, "its state was forgotten: the live state would stay");
  return {
    version: version.number.text,
    tag: version.tag,
    score: Math.round(score),
    evidence,
    inForceMs,
    well,
    failed: failed + missed,
    left,
    hasState,
    standing: version.standing,
  };
}
