import { availableParallelism } from "node:os";
import type { SnapshotTest } from "../../agent/config.js";
import { type ErrorCode, KaiError } from "../../error.js";
import { findAsked } from "../../version/find-asked.js";
import type { KnownVersion } from "../../version/history.js";
import { compareNumbers } from "../../version/number.js";
import { type AgentHistory, readAgentHistory } from "../../version/reading.js";
import type { Caller } from "../../version/writing-session.js";
import { openedTimes } from "../limit-openings.js";
import { readGround, type SnapshotGround } from "../snapshot-ground.js";
import type { SnapshotOptions } from "../snapshot-settings.js";
import { type TestVersionRequest, testGround, type VersionTest } from "./test-version.js";

export interface TestManyRequest extends Omit<TestVersionRequest, "version" | "scenarios"> {
  /** The first and the last version, both tested. */
  readonly from: string;
  readonly to: string;
  /** Only as many as it takes to find the first that fails, the first being good and the last not. */
  readonly bisect: boolean;
  /** Is told of each as it ends. */
  readonly onTested?: ((test: TestedOfRange) => void) | undefined;
}

/** One version of a range. */
export interface TestedOfRange extends VersionTest {
  /** Why it could not be tested, which says nothing of the others; null where it was. */
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string | null } | null;
}

/** Many versions, tested by the scenarios of the last one. */
export interface ManyTested {
  /** By precedence, lowest first; with bisect only those that were tested. */
  readonly versions: readonly TestedOfRange[];
  readonly passed: boolean;
  /** The first version that failed, and the one before it that was tested; null where none did, or the first did already. */
  readonly firstBad: string | null;
  readonly lastGood: string | null;
  /** How many of the range were not tested; 0 unless it is bisected. */
  readonly untested: number;
}

/**
 * Tests all versions of a range side by side, or bisects it. E101, E112, E122. One that cannot be tested for a reason of its own is told
 * with it; where none can, that is the failure.
 */
export async function testMany(caller: Caller, request: TestManyRequest): Promise<ManyTested> {
  const known = await readAgentHistory(caller.cwd, caller.env, caller.onConfigGone);
  const range = rangeOf(known, request);
  const last = await readGround(known, request.to);
  const scenarios = request.command === undefined ? last.config.snapshot_isolation.tests : undefined;
  await requireTrustedTimes(caller, last, scenarios ?? [], request.options);
  const test = async ({ tag }: KnownVersion) => {
    const ground = await readGround(known, tag);
    return testGround(caller, ground, { ...request, scenarios });
  };
  const errors: KaiError[] = [];
  const testOne = async (version: KnownVersion): Promise<TestedOfRange> => {
    const tested = await test(version).then(
      (done) => ({ ...done, error: null }),
      (cause: unknown) => {
        if (!isOfVersion(cause)) throw cause;
        errors.push(cause);
        return untestable(version, cause);
      },
    );
    request.onTested?.(tested);
    return tested;
  };
  const most = last.config.snapshot_isolation.max_concurrent;
  const tested = await (request.bisect ? bisect(range, testOne) : testAll(range, testOne, most));
  const [first] = errors;
  if (first !== undefined && errors.length === tested.versions.length) throw first;
  return tested;
}

/** What a version asks for, and this machine or its policy does not give, or what its kai.yaml says. */
const OF_VERSION: ReadonlySet<ErrorCode> = new Set(["E103", "E106", "E112", "E118", "E122", "E123"]);

const isOfVersion = (cause: unknown): cause is KaiError => cause instanceof KaiError && OF_VERSION.has(cause.code);

const untestable = ({ number, commit }: KnownVersion, { code, message, hint }: KaiError): TestedOfRange => ({
  version: number.text,
  commit,
  passed: false,
  tests: [],
  notes: [],
  error: { code, message, hint: hint ?? null },
});

/** From the one to the other by precedence: those of ours that were neither left by a rollback nor archived, and both ends whatever became of them. */
function rangeOf({ history }: AgentHistory, { from, to }: TestManyRequest): KnownVersion[] {
  const [first, last] = [findAsked(history, from), findAsked(history, to)];
  const order = compareNumbers(first.number, last.number);
  if (order > 0) {
    throw new KaiError("E122", `${first.tag} comes after ${last.tag}.`, { hint: "Name the lower version first." });
  }
  return history.versions.filter(
    (each) =>
      each === first ||
      each === last ||
      (each.type !== "foreign" &&
        !each.withdrawn &&
        each.standing?.status !== "archived" &&
        compareNumbers(each.number, first.number) > 0 &&
        compareNumbers(each.number, last.number) < 0),
  );
}

/** Those of the last version run over all of them: what they take beyond what is built in is judged by who signed that one. */
async function requireTrustedTimes(
  caller: Caller,
  last: SnapshotGround,
  scenarios: readonly SnapshotTest[],
  options: SnapshotOptions,
): Promise<void> {
  const opened = openedTimes(scenarios, options);
  if (opened.length === 0 || options.trustConfig) return;
  const { requireTrustedConfig } = await import("../require-trusted-config.js");
  await requireTrustedConfig(caller, last, opened, options);
}

async function testAll(
  range: readonly KnownVersion[],
  test: (version: KnownVersion) => Promise<TestedOfRange>,
  most: number,
): Promise<ManyTested> {
  const results = new Map<KnownVersion, TestedOfRange>();
  const waiting = [...range];
  const work = async () => {
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.set(next, await test(next));
    } finally {
      // Where one fails no other is begun.
      waiting.length = 0;
    }
  };
  // More would only wait for each other's processors.
  const workers = Math.min(most, availableParallelism(), range.length);
  // Each takes back what it has begun before the first failure is told: that may be the process's end.
  const ended = await Promise.allSettled(Array.from({ length: workers }, work));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  const versions = range.flatMap((version) => results.get(version) ?? []);
  return judged(versions, range.length);
}

/**
 * Both ends first: where they do not differ as they should, nothing between them tells anything. Between them what cannot be tested is
 * passed over.
 */
async function bisect(
  range: readonly KnownVersion[],
  test: (version: KnownVersion) => Promise<TestedOfRange>,
): Promise<ManyTested> {
  const tested = new Map<number, TestedOfRange>();
  const at = async (index: number): Promise<TestedOfRange> => {
    const found = tested.get(index) ?? (await test(range[index] as KnownVersion));
    tested.set(index, found);
    return found;
  };
  let [good, bad] = [0, range.length - 1];
  if ((await at(good)).passed && isBad(await at(bad))) {
    // What was tested between the two is what could not be.
    for (let next = middleOf(good, bad, tested); next !== undefined; next = middleOf(good, bad, tested)) {
      const { passed, error } = await at(next);
      if (passed) good = next;
      else if (error === null) bad = next;
    }
  }
  const versions = [...tested].sort(([a], [b]) => a - b).map(([, each]) => each);
  return judged(versions, range.length);
}

/** What lies nearest to the middle between two, neither of them, and is not among those; undefined where nothing is. */
function middleOf(good: number, bad: number, without: ReadonlyMap<number, unknown>): number | undefined {
  const middle = Math.floor((good + bad) / 2);
  for (let away = 0; away < bad - good; away++) {
    for (const index of [middle - away, middle + away]) {
      if (index > good && index < bad && !without.has(index)) return index;
    }
  }
  return undefined;
}

const isBad = ({ passed, error }: TestedOfRange): boolean => !passed && error === null;

function judged(versions: readonly TestedOfRange[], total: number): ManyTested {
  const bad = versions.findIndex(isBad);
  const before = bad < 0 ? undefined : versions.slice(0, bad).findLast(({ passed }) => passed);
  return {
    versions,
    passed: versions.every(({ passed }) => passed),
    firstBad: versions[bad]?.version ?? null,
    lastGood: before?.version ?? null,
    untested: total - versions.length,
  };
}
