import { expect, test } from "vitest";
import type { History } from "../../src/version/history.js";
import { parseNumber } from "../../src/version/number.js";
import { versionAndBefore, versionsBefore } from "../../src/version/versions-before.js";

/** A history of versions and their parents. */
const historyOf = (parents: Readonly<Record<string, string | null>>) =>
  ({
    versions: Object.entries(parents).map(([text, parent]) => ({ number: parseNumber(text), parent, type: "auto" })),
  }) as unknown as History;

const before = (history: History, parent: string | null) =>
  [...versionsBefore(history, { parent })].map(({ number }) => number.text);

test("by their parents, the nearest first", () => {
  const history = historyOf({ "1.0.0": null, "1.1.0": "1.0.0", "1.1.1": "1.0.0", "1.2.0": "1.1.1" });
  expect(before(history, "1.2.0")).toEqual(["1.2.0", "1.1.1", "1.0.0"]);
  expect(before(history, null)).toEqual([]);
});

test("itself in front, and none is looked for that nobody asks for", () => {
  const history = historyOf({ "1.0.0": null, "1.1.0": "1.0.0", "1.2.0": "1.1.0" });
  const [, , newest] = history.versions;
  if (newest === undefined) throw new Error("there are three");
  const all = versionAndBefore(history, newest);
  for (let turn = 0; turn < 2; turn++) {
    expect([...all].map(({ number }) => number.text)).toEqual(["1.2.0", "1.1.0", "1.0.0"]);
  }
  const versions = new Proxy([], {
    get: () => {
      throw new Error("looked at");
    },
  });
  for (const first of versionAndBefore({ versions }, newest)) {
    expect(first).toBe(newest);
    break;
  }
});

test("ours comes before another tool's of the same number", () => {
  const [ours, foreign, child] = ["1.0.0", "1.0.0", "1.1.0"].map((text, index) => ({
    ...historyOf({ [text]: null }).versions[0],
    type: index === 1 ? "foreign" : "auto",
    parent: index === 2 ? "1.0.0" : null,
  }));
  for (const versions of [
    [ours, foreign, child],
    [foreign, ours, child],
  ]) {
    expect([...versionsBefore({ versions } as unknown as History, { parent: "1.0.0" })]).toEqual([ours]);
  }
});

test("one that is not here ends it, and so does a circle", () => {
  expect(before(historyOf({ "1.1.0": "1.0.0" }), "1.1.0")).toEqual(["1.1.0"]);
  expect(before(historyOf({ "1.0.0": "1.1.0", "1.1.0": "1.0.0" }), "1.1.0")).toEqual(["1.1.0", "1.0.0"]);
  expect(before(historyOf({ "1.0.0": null }), "no version")).toEqual([]);
});
