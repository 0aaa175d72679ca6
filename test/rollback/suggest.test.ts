import { expect, test } from "vitest";
import type { LoggedEntry } from "../../src/operation/entry.js";
import { selectComponents, selectPaths } from "../../src/rollback/compose-tree.js";
import { roughSpan } from "../../src/rollback/rough-span.js";
import { suggestTargets } from "../../src/rollback/suggest.js";
import type { History } from "../../src/version/history.js";
import { parseNumber } from "../../src/version/number.js";
import type { Standing } from "../../src/version/standing.js";

const NOW = new Date("2026-06-01T00:00:00Z");
const HOUR = 3_600_000;
const id = (version: string) => `tag of ${version}`;

/** What happened, oldest first: an hour each, from one version in force to the next. */
function historyOf(
  versions: readonly string[],
  events: readonly (readonly [kind: string, to: string, ok?: boolean, details?: Record<string, unknown>])[],
) {
  let before: string | null = null;
  const log = events.map(([kind, to, ok, more], index) => {
    const at = new Date(NOW.getTime() - (events.length - index) * HOUR).toISOString();
    const inForce = (version: string | null) =>
      version && { tag: id(version), pointer: `${index} ${version}`, version };
    const details = { ok, ...more };
    const entry = { kind, at, changes: [], details, current: { before: inForce(before), after: inForce(to) } };
    before = to;
    return entry as unknown as LoggedEntry;
  });
  const known = versions.map((text) => ({
    number: parseNumber(text),
    tag: `v${text}`,
    tagId: id(text),
    type: "manual",
    withdrawn: false,
    state: null,
  }));
  return {
    versions: known,
    versionTagged: (wanted: string) => known.find(({ tagId }) => tagId === wanted),
    current: log.at(-1)?.current.after ?? null,
    log: log.reverse(),
  } as unknown as History;
}

test("a version that was well stands before one that was not, whichever is nearer", () => {
  const history = historyOf(
    ["1.0.0", "1.1.0", "1.2.0"],
    [
      ["create", "1.0.0"],
      ["create", "1.1.0"],
      ["create", "1.2.0"],
      ["rollback", "1.1.0"],
      ["outcome", "1.1.0", false],
      ["rollback", "1.2.0"],
    ],
  );
  const targets = suggestTargets(history, NOW);
  expect(targets.map(({ version, failed, left }) => [version, failed, left])).toEqual([
    ["1.0.0", 0, 0],
    ["1.1.0", 1, 1],
  ]);
  expect(targets[1]?.evidence).toContain("not well after 1 rollback to it");
});

test("what did not come into force counts against the version that was to, not the one that stayed", () => {
  const history = historyOf(
    ["1.0.0", "1.1.0", "1.2.0"],
    [
      ["create", "1.0.0"],
      ["create", "1.1.0"],
      ["outcome", "1.1.0", false, { kind: "rollback", of: "A", happened: false, version: "1.0.0" }],
      ["outcome", "1.1.0", false, { kind: "deploy", of: null, version: "1.0.0" }],
      ["create", "1.2.0"],
    ],
  );
  const [first, second] = suggestTargets(history, NOW);
  expect(first).toMatchObject({ version: "1.1.0", failed: 0 });
  expect(second).toMatchObject({ version: "1.0.0", failed: 2 });
  expect(second?.evidence).toContain("did not come into force when it should, 2 times");
});

test("what is in production comes first, what is given up last, and nothing that chooses by itself takes what is archived", () => {
  const made = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map((version) => ["create", version] as const);
  const history = historyOf(["1.0.0", "1.1.0", "1.2.0", "1.3.0"], made);
  const ranked = (standings: Record<string, Pick<Standing, "status" | "reason">>) => {
    for (const each of history.versions) {
      const said = standings[each.number.text];
      Object.assign(each, { standing: said ? { stability: null, since: "", ...said } : null });
    }
    return suggestTargets(history, NOW);
  };
  const plain = suggestTargets(history, NOW).map(({ version }) => version);
  expect(plain).toEqual(["1.2.0", "1.1.0", "1.0.0"]);
  const targets = ranked({
    "1.0.0": { status: "production", reason: null },
    "1.1.0": { status: "archived", reason: null },
    "1.2.0": { status: "deprecated", reason: "it forgets names" },
  });
  expect(targets.map(({ version }) => version)).toEqual(["1.0.0", "1.2.0", "1.1.0"]);
  expect(targets.map(({ evidence }) => evidence)).toEqual([
    expect.arrayContaining(["production"]),
    expect.arrayContaining(["deprecated: it forgets names"]),
    expect.arrayContaining(["archived"]),
  ]);
  expect(targets[2]?.score).toBeLessThan(0);
});

test("the one in force, pre-releases and versions of other tools are not suggested; without any there is nothing", () => {
  const history = historyOf(["1.0.0", "1.1.0-beta.1", "1.1.0"], [["create", "1.1.0"]]);
  expect(suggestTargets(history, NOW).map(({ version }) => version)).toEqual(["1.0.0"]);
  expect(suggestTargets(historyOf(["1.0.0"], [["create", "1.0.0"]]), NOW)).toEqual([]);
});

test("another major version, and one that was never in force, count less", () => {
  const history = historyOf(
    ["1.0.0", "2.0.0", "2.1.0", "2.2.0"],
    [
      ["create", "1.0.0"],
      ["create", "2.0.0"],
      ["create", "2.2.0"],
    ],
  );
  const [first, ...others] = suggestTargets(history, NOW);
  expect(first?.version).toBe("2.0.0");
  expect(others.find(({ version }) => version === "2.1.0")?.evidence).toContain("never in force");
  expect(others.find(({ version }) => version === "1.0.0")?.evidence).toContain("another major version than 2.2.0");
});

test("a span is told in the largest unit of which there are two", () => {
  expect([0, 1000, 119_000, 120_000, 2 * HOUR, 50 * HOUR].map(roughSpan)).toEqual([
    "0 seconds",
    "1 second",
    "119 seconds",
    "2 minutes",
    "2 hours",
    "2 days",
  ]);
});

test("paths are files, folders and globs from the top on, special characters too", () => {
  const chosen = (paths: string[], names: string[]) => names.filter(selectPaths(paths));
  const all = ["a", "a/b", "ab", "x/a", "odd[1].md", "new\nline", "x/y.md"];
  expect(chosen(["a"], all)).toEqual(["a", "a/b"]);
  expect(chosen(["./a/", "odd[1].md"], all)).toEqual(["a", "a/b", "odd[1].md"]);
  expect(chosen(["*.md"], all)).toEqual(["odd[1].md"]);
  expect(chosen(["**/*.md"], all)).toEqual(["odd[1].md", "x/y.md"]);
  expect(chosen(["."], all)).toEqual(all);
  expect(chosen(["new\nline"], all)).toEqual(["new\nline"]);
  expect(chosen([], all)).toEqual([]);
});

test("no component, or none that can be told, selects nothing", () => {
  expect(["a.py"].filter(selectComponents([], []))).toEqual([]);
  expect(["a.py"].filter(selectComponents(["code"], [null]))).toEqual([]);
});

test("what the version that was left is to blame for, or the agent of another that is deployed, counts against nobody else", () => {
  const history = historyOf(
    ["1.0.0", "1.1.0", "1.2.0"],
    [
      ["create", "1.0.0"],
      ["create", "1.1.0"],
      ["create", "1.2.0"],
      ["outcome", "1.2.0", false, { happened: false, version: "1.1.0", step: "stop_agent" }],
      ["outcome", "1.2.0", false, { happened: false, version: "1.1.0", step: "restore_data" }],
      ["outcome", "1.2.0", false, { happened: false, version: "1.0.0", step: "restore_dependencies" }],
      ["outcome", "1.2.0", true, { asked: "1.1.0" }],
    ],
  );
  const targets = suggestTargets(history, NOW).map(({ version, well, failed }) => [version, well, failed]);
  expect(targets).toEqual([
    ["1.1.0", 1, 0],
    ["1.0.0", 0, 1],
  ]);
});
