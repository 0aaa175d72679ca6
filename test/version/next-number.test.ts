import { expect, test } from "vitest";
import type { Bump } from "../../src/change/bump.js";
import type { Ref } from "../../src/git/refs.js";
import type { LoggedEntry } from "../../src/operation/entry.js";
import { buildHistory, findVersion, type History } from "../../src/version/history.js";
import { withdrawnVersions } from "../../src/version/joined-tags.js";
import { chooseNumber, comesIntoForce, highestVersion, type NumberPolicy } from "../../src/version/next-number.js";
import { parseNumber } from "../../src/version/number.js";
import { tagFormat } from "../../src/version/tag-name.js";

const FORMAT = tagFormat("v{version}");
const POLICY: NumberPolicy = { autoIncrement: "patch", compatibilityChecking: true };
const NO_WISH = { type: undefined, bump: undefined, exact: undefined };

const lightweight = (name: string): Ref => ({
  name: `refs/tags/${name}`,
  id: "a".repeat(40),
  type: "commit",
  peeled: undefined,
  latin1: undefined,
});

const blob = (name: string): Ref => ({ ...lightweight(name), type: "blob" });

/** Versions of other tools: their numbers count as any other's. */
const historyOf = (...tags: string[]): History => buildHistory(tags.map(lightweight), [], FORMAT);

const entry = (details: object, more: Partial<LoggedEntry> = {}): LoggedEntry => ({
  format: "kai-operation/1",
  id: "0".repeat(26),
  repo: "r",
  seq: 1,
  kind: "create",
  actor: { name: "Ada", email: "", key: "" },
  at: "2026-01-01T00:00:00Z",
  changes: [],
  current: { before: null, after: null },
  withdrawn: [],
  restored: [],
  details: { ...details },
  commit: "b".repeat(40),
  parents: [],
  subject: "",
  ...more,
});

const chosen = (
  history: History,
  required: Bump,
  wish: Partial<Parameters<typeof chooseNumber>[3]> = {},
  inForce?: string,
  policy = POLICY,
) =>
  chooseNumber(
    history,
    inForce === undefined ? undefined : findVersion(history, parseNumber(inForce)),
    required,
    { ...NO_WISH, ...wish },
    policy,
  ).text;

test("the first version is 1.0.0, whatever changed", () => {
  expect(chosen(historyOf(), "none")).toBe("1.0.0");
});

test.each([
  ["none", "1.4.1"],
  ["patch", "1.4.1"],
  ["minor", "1.5.0"],
  ["major", "2.0.0"],
] as const)("%s changes after 1.4.0 make %s", (required, next) => {
  expect(chosen(historyOf("v1.3.9", "v1.4.0"), required, {}, "1.4.0")).toBe(next);
});

test("a type asks for its bump, a bump for itself", () => {
  const history = historyOf("v1.4.0");
  expect(chosen(history, "none", { type: "auto" }, "1.4.0")).toBe("1.4.1");
  expect(chosen(history, "none", { type: "manual" }, "1.4.0")).toBe("1.5.0");
  expect(chosen(history, "none", { type: "release" }, "1.4.0")).toBe("2.0.0");
  expect(chosen(history, "none", { type: "release", bump: "minor" }, "1.4.0")).toBe("1.5.0");
});

test("after a rollback from 1.4.0 to 1.2.0 a fix is 1.4.1", () => {
  const history = historyOf("v1.2.0", "v1.3.0", "v1.4.0");
  expect(chosen(history, "patch", {}, "1.2.0")).toBe("1.4.1");
  expect(chosen(history, "minor", {}, "1.2.0")).toBe("1.5.0");
});

test("a pre-release becomes its release, and does not push the line", () => {
  expect(chosen(historyOf("v1.0.0-rc.1"), "patch")).toBe("1.0.0");
  expect(chosen(historyOf("v1.4.0", "v2.0.0-rc.1"), "patch", {}, "1.4.0")).toBe("1.4.1");
});

test("auto_increment is the least that an automatic version bumps, or switches it off", () => {
  const history = historyOf("v1.4.0");
  expect(chosen(history, "patch", {}, "1.4.0", { ...POLICY, autoIncrement: "minor" })).toBe("1.5.0");
  expect(chosen(history, "major", {}, "1.4.0", { ...POLICY, autoIncrement: "minor" })).toBe("2.0.0");
  const off = { ...POLICY, autoIncrement: undefined };
  expect(() => chosen(history, "patch", {}, "1.4.0", off)).toThrow("auto_increment is false");
  expect(chosen(history, "patch", { type: "manual" }, "1.4.0", off)).toBe("1.5.0");
});

test("compatibility_checking refuses a bump below the required one", () => {
  const history = historyOf("v1.4.0");
  const tooLow = (wish: object) => () => chosen(history, "major", wish, "1.4.0");
  expect(tooLow({ bump: "minor" })).toThrow("need a major version, not a minor one");
  expect(tooLow({ type: "manual" })).toThrow("need a major version, not a minor one");
  expect(tooLow({ exact: parseNumber("1.5.0") })).toThrow("need a major version, not a minor one");
  expect(chosen(history, "major", { exact: parseNumber("2.0.0-rc.1") }, "1.4.0")).toBe("2.0.0-rc.1");
  const lax = { ...POLICY, compatibilityChecking: false };
  expect(chosen(history, "major", { bump: "patch" }, "1.4.0", lax)).toBe("1.4.1");
});

test("a number that was ever used is never given again", () => {
  const taken = (history: History, text: string) => () => chosen(history, "none", { exact: parseNumber(text) });
  expect(taken(historyOf("v1.4.0"), "1.4.0")).toThrow("The number 1.4.0 is taken by the tag v1.4.0.");
  expect(taken(historyOf("v1.4.0+build"), "1.4.0")).toThrow("taken by the tag v1.4.0+build");
  // A tag that is gone: the log knows that it was made.
  const gone = buildHistory([lightweight("v1.0.0")], [entry({ tag: "v1.1.0", version: "1.1.0" })], FORMAT);
  expect(taken(gone, "1.1.0")).toThrow("taken by the tag v1.1.0");
  expect(chosen(gone, "minor", {}, "1.0.0")).toBe("1.2.0");
  // A tag on a blob is no version, and its number is used all the same.
  const onBlob = buildHistory([lightweight("v1.0.0"), blob("v3.0.0")], [], FORMAT);
  expect(onBlob.skipped).toEqual([{ tag: "v3.0.0", reason: "does not point at a commit; its number stays reserved" }]);
  expect(taken(onBlob, "3.0.0")).toThrow("taken by the tag v3.0.0");
  expect(chosen(onBlob, "patch", {}, "1.0.0")).toBe("3.0.1");
});

test("a number below the highest goes on with a line that there is", () => {
  const history = historyOf("v1.0.0", "v1.2.0", "v2.0.0");
  const asked = (text: string) => () => chosen(history, "minor", { exact: parseNumber(text) }, "2.0.0");
  for (const text of ["1.0.1", "1.2.1", "1.3.0", "1.3.0-rc.1", "2.1.0"]) expect(asked(text)()).toBe(text);
  expect(asked("0.5.0")).toThrow("0.5.0 lies below 2.0.0, and there is no line 0.x to go on with.");
  expect(asked("1.1.0")).toThrow("1.1.0 lies below 2.0.0, and there is no line 1.1.x to go on with.");
  expect(chosen(historyOf("v2.0.0-rc.1"), "none", { exact: parseNumber("1.0.0") })).toBe("1.0.0");
});

test("a version stays one when tag_format is changed after it was made", () => {
  const log = [entry({ tag: "v1.0.0", version: "1.0.0" })];
  const history = buildHistory([lightweight("v1.0.0"), lightweight("v0.1.0")], log, tagFormat("release/{version}"));
  expect(history.versions.map((version) => version.tag)).toEqual(["v1.0.0"]);
  expect(history.skipped.map(({ tag }) => tag)).toEqual(["v0.1.0"]);
  expect(chosen(history, "patch")).toBe("1.0.1");
});

test("a pre-release and a number below the highest do not come into force", () => {
  const history = historyOf("v1.0.0", "v2.0.0", "v3.0.0-rc.1");
  const inForce = (text: string) => comesIntoForce(history, parseNumber(text));
  expect([inForce("2.0.1"), inForce("3.0.0"), inForce("3.0.0-rc.2"), inForce("1.0.1")]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(highestVersion(history)?.number.text).toBe("2.0.0");
  expect(comesIntoForce(historyOf(), parseNumber("1.0.0"))).toBe(true);
});

test("a version is withdrawn until an entry brings it back", () => {
  const first = entry({}, { withdrawn: ["2.0.0", "1.9.0"] });
  const second = entry({}, { restored: ["2.0.0"] });
  expect([...withdrawnVersions([second, first])]).toEqual(["1.9.0"]);
});
