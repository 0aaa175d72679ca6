import { expect, test } from "vitest";
import type { History } from "../../src/version/history.js";
import { parseNumber } from "../../src/version/number.js";
import { versionsBefore } from "../../src/version/versions-before.js";

/** A history of versions and their parents. */
const historyOf = (parents: Readonly<Record<string, string | null>>) =>
  ({
    versions: Object.entries(parents).map(([text, parent]) => ({ number: parseNumber(text), parent, type: "auto" })),
  }) as unknown as History;

const before = (history: History, parent: string | null) =>
  versionsBefore(history, { parent }).map(({ number }) => number.text);

test("by their parents, the nearest first", () => {
  const history = historyOf({ "1.0.0": null, "1.1.0": "1.0.0", "1.1.1": "1.0.0", "1.2.0": "1.1.1" });
  expect(before(history, "1.2.0")).toEqual(["1.2.0", "1.1.1", "1.0.0"]);
  expect(before(history, null)).toEqual([]);
});

test("one that is not here ends it, and so does a circle", () => {
  expect(before(historyOf({ "1.1.0": "1.0.0" }), "1.1.0")).toEqual(["1.1.0"]);
  expect(before(historyOf({ "1.0.0": "1.1.0", "1.1.0": "1.0.0" }), "1.1.0")).toEqual(["1.1.0", "1.0.0"]);
  expect(before(historyOf({ "1.0.0": null }), "no version")).toEqual([]);
});
