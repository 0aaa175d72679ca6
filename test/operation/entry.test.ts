import { expect, test } from "vitest";
import { formatEntryMessage, parseEntryMessage } from "../../src/operation/entry.js";
import { anEntry } from "../support/an-entry.js";

const ENTRY = anEntry("1.0.0-rc.1+b", {
  changes: [{ ref: "refs/tags/v1.0.0", old: null, new: "b".repeat(40) }],
  current: { before: null, after: { version: "1.0.0-rc.1+b", tag: "b".repeat(40), pointer: "c".repeat(64) } },
  withdrawn: ["0.1.0"],
  details: {},
});
const TEXT = formatEntryMessage("create v1.0.0", ENTRY);

test("an entry is read back", () => {
  expect(parseEntryMessage(TEXT)).toEqual({ subject: "create v1.0.0", entry: ENTRY });
});

test.each([
  ["a line behind it", `${TEXT}more\n`],
  ["a body before it", TEXT.replace("\n\n", "\n\nmore\n")],
  ["a subject of two lines", TEXT.replace("\n\n", "\nmore\n\n")],
  ["an unknown kind", TEXT.replace('"create"', '"creat"')],
  ["a version that is none", TEXT.replace("1.0.0-rc.1+b", "1.0\\u001b")],
  ["a withdrawn version that is none", TEXT.replace('"0.1.0"', '"v0.1.0"')],
  ["a tag's id that is none", TEXT.replace(`"tag":"b`, `"tag":"x`)],
  ["a pointer that is too long", TEXT.replace("c".repeat(64), "c".repeat(65))],
  ["an id of neither length", TEXT.replace(`"new":"b`, `"new":"bb`)],
  ["a time that is none", TEXT.replace("2024-01-01T", "2024-13-01T")],
])("a message with %s is no entry", (_, text) => {
  expect(text).not.toBe(TEXT);
  expect(parseEntryMessage(text)).toBeUndefined();
});

test.each([
  ["a key twice", TEXT.replace('"seq":1', '"seq":9,"seq":1')],
  ["a key twice, further in", TEXT.replace('"name":"Ada"', '"name":"Eve","name":"Ada"')],
  ["keys in another order", TEXT.replace(/("seq":1),("withdrawn":\["0.1.0"\])/, "$2,$1")],
  ["a blank", TEXT.replace('"seq":1', '"seq": 1')],
  ["a blank in front", TEXT.replace("\n\n{", "\n\n {")],
  ["a number written otherwise", TEXT.replace('"seq":1', '"seq":1e0')],
  ["an escape that needs none", TEXT.replace('"Ada"', '"\\u0041da"')],
  ["a number beyond all numbers", TEXT.replace('"details":{}', '"details":{"n":1e999}')],
  ["too many levels", TEXT.replace('"details":{}', `"details":{"n":${"[".repeat(50_000)}${"]".repeat(50_000)}}`)],
])("JSON in another form than the canonical one is no entry: %s", (_, text) => {
  expect(text).not.toBe(TEXT);
  expect(parseEntryMessage(text)).toBeUndefined();
});

test("keys of a later version are kept, whatever they are called", () => {
  const details = JSON.parse('{"10": "ten", "9": "nine", "__proto__": {"é": [1.5, true, "\\u2028"]}}');
  const later = { ...ENTRY, details, zeal: "\ud83d\ude00" };
  expect(parseEntryMessage(formatEntryMessage("create v1.0.0", later))?.entry).toEqual(later);
});
