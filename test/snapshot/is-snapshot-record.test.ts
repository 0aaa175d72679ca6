import { expect, test } from "vitest";
import { isSnapshotRecord } from "../../src/snapshot/is-snapshot-record.js";
import { RECORD } from "./snapshot-record.js";

const ID = RECORD.id;

/** The record with another value there, or none for undefined. */
function withOther(place: string, value: unknown): unknown {
  const record = structuredClone(RECORD);
  const keys = place.split(".");
  const last = keys.pop() ?? "";
  // biome-ignore lint/suspicious/noExplicitAny: any place in it
  const holder = keys.reduce((each: any, key) => each[key], record);
  holder[last] = value;
  return JSON.parse(JSON.stringify(record));
}

test("a record is taken as it is written, also by an earlier or a later version of the program", () => {
  expect(isSnapshotRecord(RECORD)).toBe(true);
  for (const key of ["repository", "opened", "destroyer"])
    expect(isSnapshotRecord(withOther(key, undefined)), key).toBe(true);
  for (const [key, value] of [
    ["destroyer", "boot:2:2"],
    ["process", "boot:3:3"],
    ["saved", "c".repeat(64)],
    ["later", { any: "thing" }],
  ] as const)
    expect(isSnapshotRecord(withOther(key, value)), key).toBe(true);
});

const OPTIONAL = ["repository", "opened"];

/** Each place of a record that holds something. */
const placesIn = (value: object, before = ""): string[] =>
  Object.entries(value).flatMap(([key, each]) => [
    `${before}${key}`,
    ...(typeof each === "object" && each !== null ? placesIn(each, `${before}${key}.`) : []),
  ]);

test("one that lacks a key, or has another type anywhere, is none", () => {
  const isElement = (place: string) => /\.(?:\d+|LANG|TOKEN)$/.test(place);
  for (const place of placesIn(RECORD)) {
    expect(isSnapshotRecord(withOther(place, 42)), place).toBe(typeof valueAt(place) === "number");
    if (!OPTIONAL.includes(place) && !isElement(place))
      expect(isSnapshotRecord(withOther(place, undefined)), place).toBe(false);
  }
});

const valueAt = (place: string): unknown =>
  // biome-ignore lint/suspicious/noExplicitAny: any place in it
  place.split(".").reduce((each: any, key) => each[key], RECORD);

test.each([
  ["expiresAt", "garbage"],
  ["status", "running"],
  ["commit", "--output=/tmp/file"],
  ["tree", "HEAD"],
  ["saved", "main"],
  ["settings.limits.pids", null],
  ["settings.security.seccomp", "no"],
  ["settings", []],
  ["id", "../../../elsewhere"],
  ["folder", "/home/somebody"],
  ["folder", `kai-snapshot.${ID}`],
  ["folder", `/tmp/kai-snapshot.${ID}/`],
  ["folder", `/tmp/kai-snapshot.${ID}/..`],
  ["folder", `/tmp/kai-snapshot.${ID.replace("K", "J")}`],
  ["lower", "files"],
  ["container", `kai-${ID.toLowerCase().replace("k", "j")}`],
])("one whose %s is %j is none", (place, value) => {
  expect(isSnapshotRecord(withOther(place, value))).toBe(false);
});

test.each([[null], [42], ["text"], [[]], [{}]])("%j is none", (value) => {
  expect(isSnapshotRecord(value)).toBe(false);
});
