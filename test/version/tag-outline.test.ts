import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTag } from "../../src/git/tag-object.js";
import { outlineTag } from "../../src/version/tag-outline.js";
import { formatVersionTag, parseVersionTag } from "../../src/version/tag-text.js";

const ID = "a".repeat(40);
const odd = fc.constantFrom(
  "Ada",
  " Ada ",
  "Zoë",
  "",
  "\t",
  "a <b> c",
  "-----BEGIN PGP SIGNATURE-----",
  "-----BEGIN PGP MESSAGE-----\nx",
  "new\nline",
  "blank\n\nline",
  "Kai-Type: release",
  "\0",
  "\u0001",
  "日本",
  "1.0.0",
  "x: y",
);
const often = (usual: string) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(usual) }, odd, fc.string({ maxLength: 4 }));

const message = fc
  .record({
    description: often("first\n\nmore of it"),
    changelog: fc.array(often("one change"), { maxLength: 2 }),
    agent: often("summariser"),
    repo: often("7f"),
    type: often("auto"),
    parent: fc.option(often("1.0.0")),
    hash: often("sha256:ab"),
    record: often("sha256:cd"),
    state: fc.option(often("sha256:ef")),
  })
  .map((text) => formatVersionTag(text as Parameters<typeof formatVersionTag>[0]));

const signature = fc.oneof(
  { weight: 6, arbitrary: fc.constant("-----BEGIN PGP SIGNATURE-----\n\niQ+/=\n=abcd\n-----END PGP SIGNATURE-----\n") },
  fc.constantFrom(
    "",
    "-----BEGIN PGP SIGNATURE-----\nComment: x\n\niQ==\n-----END PGP SIGNATURE-----\n",
    "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n",
    "-----BEGIN PGP SIGNATURE-----\n-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n",
    "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\ntrailing",
    "\nKai-Type: manual\n",
  ),
);

const tag = fc
  .record({
    object: often(ID),
    type: often("commit"),
    name: often("v1.0.0"),
    who: often("Ada Agent"),
    email: often("ada@example.com"),
    seconds: often("1700000000"),
    zone: often("+0000"),
    message: fc.oneof({ weight: 9, arbitrary: message }, often("another tool's\n")),
    signature,
  })
  .map(
    (each) =>
      `object ${each.object}\ntype ${each.type}\ntag ${each.name}\ntagger ${each.who} <${each.email}> ${each.seconds} ${each.zone}\n\n${each.message}${each.signature}`,
  );

/** What reading the tag whole says. */
function read(raw: Buffer) {
  const whole = parseTag(raw);
  if ("problem" in whole) return undefined;
  const { name, tagger, message: body } = whole;
  const by = `${tagger.name} <${tagger.email}>`;
  return { name, at: tagger.at, by, subject: body.split("\n", 1)[0] ?? "", version: parseVersionTag(body) };
}

test("an outline says what reading the tag whole says", () => {
  let versions = 0;
  fc.assert(
    fc.property(tag, (text) => {
      const raw = Buffer.from(text);
      const outline = outlineTag(raw.toString("latin1"));
      if (outline?.version) versions++;
      expect(outline).toEqual(read(raw));
    }),
    { numRuns: 3000 },
  );
  expect(versions).toBeGreaterThan(100);
});

test("whatever byte of a version's tag is another, it is read as before or refused", () => {
  const text = {
    description: "first\n\nmore",
    changelog: ["a"],
    agent: "a",
    repo: "r",
    type: "auto",
    parent: "1.0.0",
    hash: "h",
    record: "d",
    state: null,
  } as const;
  const raw = Buffer.from(
    `object ${ID}\ntype commit\ntag v1.0.0\ntagger Ada <a@b> 1700000000 +0000\n\n${formatVersionTag(text)}-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n`,
  );
  for (let at = 0; at < raw.length; at++) {
    for (const byte of [0, 10, 32, 45, 60, 0x41, 0xc3]) {
      const changed = Buffer.from(raw);
      changed[at] = byte;
      expect(outlineTag(changed.toString("latin1"))).toEqual(read(changed));
    }
  }
});

test("a tag of millions of lines is read like any other", () => {
  const head = `object ${ID}\ntype commit\ntag v1.0.0\ntagger Ada <a@b> 1700000000 +0000\n\nfirst\n`;
  const text = `${head}${"ab\n".repeat(5 << 20)}\nKai-Type: auto\n`;
  expect(outlineTag(text)).toMatchObject({ name: "v1.0.0", subject: "first", version: undefined });
});
