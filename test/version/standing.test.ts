import { expect, test } from "vitest";
import type { LoggedEntry } from "../../src/operation/entry.js";
import { isPromotion, promotionDetails, promotionOf, type Standing, standingsOf } from "../../src/version/standing.js";

const AT = "2026-03-02T09:00:00Z";
const V1 = { tag: "v1.0.0", number: "1.0.0", tagId: "a".repeat(40) };

const entry = (kind: LoggedEntry["kind"], details: Record<string, unknown>) => ({ kind, at: AT, details });

const said = (status: Standing["status"] | null, more: Partial<typeof V1> = {}) => {
  const promotion = promotionOf(
    entry("promote", promotionDetails({ ...V1, ...more }, status && { status, stability: null, reason: null })),
  );
  if (promotion === undefined) throw new Error("it says nothing");
  return promotion;
};

test("what an entry says is read again", () => {
  const details = promotionDetails(V1, { status: "deprecated", stability: "beta", reason: "it\n leaks" });
  expect(promotionOf(entry("promote", details))).toEqual({
    tag: "v1.0.0",
    object: V1.tagId,
    standing: { status: "deprecated", stability: "beta", reason: "it leaks", since: AT },
  });
});

test("an entry of another kind says nothing of a standing, whoever signed it", () => {
  const details = promotionDetails(V1, { status: "production", stability: null, reason: null });
  for (const kind of ["undo", "deploy", "state", "create"] as const) {
    expect(promotionOf(entry(kind, details))).toBeUndefined();
  }
});

test("a status that is not known is none, and a stability neither", () => {
  const details = promotionDetails(V1, { status: "production", stability: null, reason: null });
  expect(promotionOf(entry("promote", { ...details, status: "frozen" }))).toMatchObject({ standing: null });
  expect(promotionOf(entry("promote", { ...details, stability: "solid", reason: 1 }))).toMatchObject({
    standing: { status: "production", stability: null, reason: null },
  });
  expect(promotionOf(entry("promote", { ...details, object: null }))).toBeUndefined();
});

test("the newest word counts, of this object under this name alone", () => {
  const standingOf = standingsOf([said("archived"), said("production"), said("testing", { tagId: "b".repeat(40) })]);
  expect(standingOf("v1.0.0", V1.tagId)).toMatchObject({ status: "archived" });
  expect(standingOf("v1.0.0", "b".repeat(40))).toMatchObject({ status: "testing" });
  expect(standingOf("v1.0.0", "c".repeat(40))).toBeNull();
  expect(standingOf("v9.9.9", V1.tagId)).toBeNull();
  expect(standingsOf([said(null), said("production")])("v1.0.0", V1.tagId)).toBeNull();
});

test("what is kept of it is told from what is not", () => {
  expect(isPromotion(JSON.parse(JSON.stringify(said("production"))))).toBe(true);
  expect(isPromotion(said(null))).toBe(true);
  for (const other of [null, {}, { ...said("production"), standing: { status: "frozen" } }]) {
    expect(isPromotion(other)).toBe(false);
  }
});
