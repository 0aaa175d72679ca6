import fc from "fast-check";
import { expect, test } from "vitest";
import { type Entry, formatEntryMessage, type InForce } from "../../src/operation/entry.js";
import { parseLogOutput } from "../../src/operation/log.js";
import { type LogOutline, LogOutliner, outlineEntries, outlineParts } from "../../src/version/log-outline.js";
import type { LogPart } from "../../src/version/log-part.js";
import { LogText } from "../../src/version/log-text.js";
import { anEntry } from "../support/an-entry.js";

const id = fc.constantFrom("a".repeat(40), "0123456789".repeat(4), "f".repeat(64));
const text = fc.oneof(
  fc.constantFrom(
    "1.0.0",
    "v1.0.0",
    "v2.1.0",
    "Ada",
    "Zoë",
    'a "b"',
    "back\\slash",
    "new\nline",
    "\u0001",
    "{}",
    "日本",
  ),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const version = fc.oneof({ weight: 9, arbitrary: fc.constantFrom("1.0.0", "2.1.0-rc.1+b") }, text);
const inForce: fc.Arbitrary<InForce | null> = fc.option(fc.record({ version, tag: id, pointer: id }));
const details = fc.oneof(
  fc.record({
    tag: text,
    object: fc.oneof(id, fc.constant(null)),
    promoted: version,
    status: fc.oneof(fc.constantFrom("production", "archived", null), text),
    stability: fc.constantFrom("stable", "solid", null),
    reason: fc.option(text),
  }),
  fc.record({ version: text, tag: text, commit: id, head: id, hash: text }),
  fc.record({ version: text, tag: text }),
  fc.record({ version: text, tag: text, zone: text }),
  fc.record({ version: fc.integer(), tag: text }),
  fc.record({ tag: text, version: text, about: fc.record({ tag: text, version: text }) }),
  fc.dictionary(text, text, { maxKeys: 3 }),
);
const ref = fc.oneof(fc.constantFrom("refs/tags/v1.0.0", "refs/tags/a]b", "refs/tags/current"), text);
const versions = fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(version, { maxLength: 2 }));

const entry: fc.Arbitrary<Entry> = fc.record({
  format: fc.constant("kai-operation/1" as const),
  id: fc.constantFrom("01EZ02PM0039YHTP3KX5CYNSJX", "lower"),
  repo: text,
  seq: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER), fc.constant(0.5)),
  kind: fc.constantFrom("create" as const, "rollback" as const, "promote" as const, "other" as "undo"),
  actor: fc.record({ name: text, email: text, key: text }),
  at: fc.oneof({ weight: 9, arbitrary: fc.constant("2024-01-01T00:00:00Z") }, text),
  changes: fc.array(fc.record({ ref, old: fc.option(id), new: fc.option(fc.oneof(id, text)) }), { maxLength: 2 }),
  current: fc.record({ before: inForce, after: inForce }),
  withdrawn: versions,
  restored: versions,
  details,
});

/** Canonical JSON as others might write it, and as no entry of ours is. */
const REWRITINGS: readonly [string, string][] = [
  ['"seq":', '"seq":0,"seq":'],
  ['"details":{', '"details":{"zone":"x",'],
  ['"details":{', '"details":{"tag":"v9.9.9",'],
  ['"details":{', '"details":{"head":null,"head":"x",'],
  ['"details":{', '"details": {'],
  ['"restored":[]', '"restored":[ ]'],
  ['"changes":[{"new":', '"changes":[{"new":null,"new":'],
  ['"actor":{', '"actor":{"email":"",'],
  ["\n\n{", "\n\n\t{"],
  ["}\n", "}\r\n"],
  ["}\n", "} \n"],
];

const oneLine = (subject: string): string => subject.replace(/[\n\0]/g, " ");

/** As git prints it; now and then with something else than an entry. */
const logged = fc
  .tuple(
    id,
    fc.array(id, { maxLength: 2 }),
    text,
    fc.oneof({ weight: 9, arbitrary: entry }, fc.constant(undefined)),
    fc.oneof({ weight: 2, arbitrary: fc.constant(["", ""] as const) }, fc.constantFrom(...REWRITINGS)),
  )
  .map(([commit, parents, subject, each, [from, to]]) => {
    const message = each ? formatEntryMessage(oneLine(subject), each) : `${oneLine(subject)}\n\n{"format":"other/1"}\n`;
    return `${commit} ${parents.join(" ")}\n${message.replace(from, () => to)}`;
  });

/** The part that is made of pieces of what git printed. */
function partsOf(...pieces: readonly string[]): LogPart[] {
  const outliner = new LogOutliner();
  for (const piece of pieces) outliner.take(Buffer.from(piece));
  const part = outliner.end();
  return part ? [part] : [];
}

const notRead = () => {
  throw new Error("nothing of it is damaged");
};

const outlineOf = (parts: readonly LogPart[]): LogOutline => outlineParts(parts, new LogText(parts, notRead));

const outlineLog = (printed: string): LogOutline => outlineOf(partsOf(printed));

/** What its functions give in their stead: the objects of all tags, asked for together and one by one. */
function plain(outline: LogOutline) {
  const tagObjects = [...outline.tagObjects()];
  return {
    ...outline,
    tagObjects,
    tagObject: tagObjects.map(([ref]) => [ref, outline.tagObject(ref)]),
    numbersMade: outline.made.map(([tag]) => [tag, outline.numbersMade(tag)]),
  };
}

test("the outline of the printed log is that of its entries read whole", () => {
  fc.assert(
    fc.property(fc.array(logged, { maxLength: 6 }), (log) => {
      const printed = log.map((each) => `${each}\0`).join("");
      const [seen, read] = [outlineLog(printed), outlineEntries(parseLogOutput(printed))];
      expect(plain(seen)).toEqual(plain(read));
    }),
    { numRuns: 300 },
  );
});

test("a log that comes in pieces has the same outline", () => {
  fc.assert(
    fc.property(fc.array(fc.array(logged, { minLength: 1, maxLength: 3 }), { maxLength: 4 }), (pieces) => {
      const texts = pieces.map((piece) => piece.join("\0"));
      const whole = plain(outlineLog(pieces.flat().join("\0")));
      expect(plain(outlineOf(partsOf(...texts)))).toEqual(whole);
      // Each a part of its own, kept at another time.
      expect(plain(outlineOf(texts.flatMap((text) => partsOf(text))))).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});

test("an entry that a version's making alone fills is told without being read", () => {
  const made = (version: string, more: Partial<Entry> = {}): string => {
    const details = { version, tag: `v${version}`, commit: "d".repeat(40), hash: `sha256:${"e".repeat(64)}` };
    return `${"a".repeat(40)} \n${formatEntryMessage(`create v${version}`, anEntry(version, { details, ...more }))}\0`;
  };
  const printed = [made("1.2.0"), made("1.1.0", { withdrawn: ["1.0.0"] }), made("1.0.0")].join("");
  const outline = outlineLog(printed);
  expect(outline.tagObjects().get("refs/tags/v1.1.0")).toBe("b".repeat(40));
  expect(outline.tagObject("refs/tags/v1.0.0")).toBe(outline.tagObjects().get("refs/tags/v1.0.0"));
  expect(outline.tagObject("refs/tags/v9.9.9")).toBeUndefined();
  expect(outline.current?.version).toBe("1.2.0");
  expect(outline.made).toEqual([
    ["v1.2.0", "1.2.0"],
    ["v1.1.0", "1.1.0"],
    ["v1.0.0", "1.0.0"],
  ]);
  expect(outline.withdrawing.map((each) => each.withdrawn)).toEqual([["1.0.0"]]);
  // What the whole reading takes for no entry is none here.
  for (const [from, to] of REWRITINGS) {
    const other = outlineLog(
      printed.replace(/(\0[^\0]*\0)([^\0]*\0)$/, (_, first, last) => first + last.replace(from, () => to)),
    );
    expect(other.made).toEqual(outline.made.slice(0, 2));
  }
});
