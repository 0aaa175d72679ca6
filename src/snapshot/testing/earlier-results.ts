import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../../git/repository.js";
import { kaiFolderOf } from "../../operation/kai-folder.js";
import { writeDurably } from "../../system/durable-file.js";
import type { KnownVersion } from "../../version/history.js";

/** What a test of kai.yaml took. */
export interface TestResult {
  readonly durationMs: number;
  /** The most bytes of memory seen; null where none could be. */
  readonly peakMemory: number | null;
}

/** The same of a version before, by whose number it is called. */
export interface EarlierResult extends TestResult {
  readonly version: string;
}

/** Where tests are run; what one takes in a sandbox says nothing of it outside. */
export type TestPlace = "sandbox" | "agent";

/** What the results of a version's tests are compared with, and where they are kept. */
export interface Comparison {
  /** What the test took with the nearest version before that has a result; undefined where none has. */
  find(test: string): EarlierResult | undefined;
  /** Whether it passed there with any version, as far as that is still known. */
  hasPassed(test: string): boolean;
  /** Keeps what tests took that passed. One that cannot be kept is measured again some day. */
  keep(results: readonly (TestResult & { readonly name: string })[]): Promise<void>;
}

export interface ComparisonRequest {
  readonly place: TestPlace;
  /** Object id of the tag of the version that is tested; null for none, whose results are not kept. */
  readonly version: string | null;
  /** The versions before it, the nearest first. */
  readonly before: Iterable<Pick<KnownVersion, "tagId" | "number">>;
}

/** Of one version's one test, the newest; what is compared is their median. */
const KEPT_RESULTS = 5;
/** Of one test. */
const KEPT_VERSIONS = 50;

/** By place, test and tag, the version that was measured last at the end. */
type Kept = Record<string, Record<string, Record<string, TestResult[]>>>;

const fileOf = (repository: Repository): string => path.join(kaiFolderOf(repository).cache, "test-results.json");

/** Reads what tests took on this machine before. */
export async function compareWithEarlier(
  repository: Repository,
  { place, version, before }: ComparisonRequest,
): Promise<Comparison> {
  const kept = await readKept(repository);
  return {
    find(test) {
      const ofTest = kept[place]?.[test];
      if (ofTest === undefined) return undefined;
      for (const { tagId, number } of before) {
        const results = ofTest[tagId];
        if (results !== undefined && results.length > 0) return { version: number.text, ...medianOf(results) };
      }
      return undefined;
    },
    hasPassed: (test) => Object.values(kept[place]?.[test] ?? {}).some((results) => results.length > 0),
    async keep(results) {
      if (version === null || results.length === 0) return;
      // Others may have added theirs while these ran.
      const all = await readKept(repository);
      for (const { name, durationMs, peakMemory } of results) {
        const { [version]: earlier = [], ...others } = all[place]?.[name] ?? {};
        const newest = [...earlier, { durationMs, peakMemory }].slice(-KEPT_RESULTS);
        const versions = [...Object.entries(others), [version, newest] as const].slice(-KEPT_VERSIONS);
        all[place] = { ...all[place], [name]: Object.fromEntries(versions) };
      }
      await writeDurably(fileOf(repository), JSON.stringify(all)).catch(() => {});
    },
  };
}

function medianOf(results: readonly TestResult[]): TestResult {
  const middle = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)];
  const memory = results.flatMap(({ peakMemory }) => peakMemory ?? []);
  return { durationMs: middle(results.map(({ durationMs }) => durationMs)) ?? 0, peakMemory: middle(memory) ?? null };
}

/** None where the file is not there, or is damaged: it is a cache. */
async function readKept(repository: Repository): Promise<Kept> {
  try {
    const value: unknown = JSON.parse(await readFile(fileOf(repository), "utf8"));
    return isKept(value) ? value : {};
  } catch {
    return {};
  }
}

const isKept = (value: unknown): value is Kept =>
  isRecordOf(value, (tests) =>
    isRecordOf(tests, (versions) =>
      isRecordOf(versions, (results): results is TestResult[] => Array.isArray(results) && results.every(isResult)),
    ),
  );

const isRecordOf = <T>(value: unknown, is: (inner: unknown) => inner is T): value is Record<string, T> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every(is);

function isResult(value: unknown): value is TestResult {
  const { durationMs, peakMemory } = (value ?? {}) as Partial<Record<keyof TestResult, unknown>>;
  return Number.isFinite(durationMs) && (peakMemory === null || Number.isFinite(peakMemory));
}
