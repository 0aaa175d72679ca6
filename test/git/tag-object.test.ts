import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatTagPayload, parseTag, trailersOf } from "../../src/git/tag-object.js";
import { scratch } from "../support/scratch.js";

const PAYLOAD = formatTagPayload({
  object: "a".repeat(40),
  name: "v1.0.0",
  tagger: { name: "Ada Agent", email: "ada@example.com" },
  at: new Date("2026-01-01T00:00:00Z"),
  message: "first\n\nKai-Agent: x\n",
}).toString();

const SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n";

const parsed = (text: string | Buffer) => parseTag(Buffer.from(text));

test("a tag that git made is read as git wrote it", () => {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env, stdio: ["ignore", "pipe", "pipe"] });
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "x");
  git("tag", "-a", "-m", "Über\n\nmore", "v1.0.0");
  const tag = parsed(git("cat-file", "tag", "v1.0.0"));
  expect(tag).toMatchObject({
    object: git("rev-parse", "HEAD").toString().trim(),
    type: "commit",
    name: "v1.0.0",
    tagger: { name: "Ada Agent", email: "ada@example.com" },
    message: "Über\n\nmore\n",
    signature: undefined,
  });
});

test("payload and signature are parted where git parts them", () => {
  expect(parsed(PAYLOAD + SIGNATURE)).toMatchObject({ name: "v1.0.0", message: "first\n\nKai-Agent: x\n" });
  const tag = parsed(PAYLOAD + SIGNATURE);
  if ("problem" in tag) throw new Error(tag.problem);
  expect(tag.payload.toString()).toBe(PAYLOAD);
  expect(tag.signature?.toString()).toBe(SIGNATURE);
  // The last block counts; what stands before it is signed text.
  const twice = parsed(PAYLOAD + SIGNATURE + SIGNATURE);
  if ("problem" in twice) throw new Error(twice.problem);
  expect(twice.payload.toString()).toBe(PAYLOAD + SIGNATURE);
});

test.each([
  ["a header twice", PAYLOAD.replace("type commit\n", "type commit\ntype commit\n")],
  ["another order", PAYLOAD.replace(/(type commit\n)(tag v1.0.0\n)/, "$2$1")],
  ["a header that git does not know", PAYLOAD.replace("\n\n", "\nencoding utf-8\n\n")],
  ["no tagger", PAYLOAD.replace(/tagger .*\n/, "")],
  ["a short object id", PAYLOAD.replace("a".repeat(40), "a".repeat(39))],
  ["an unknown type", PAYLOAD.replace("type commit", "type comment")],
  ["no name", PAYLOAD.replace("tag v1.0.0", "tag ")],
  ["a NUL", PAYLOAD.replace("first", "first\0")],
  ["no blank line", PAYLOAD.replace("\n\n", "\n")],
  ["a date that no Date can be", PAYLOAD.replace(/> \d+ /, "> 8640000000001 ")],
  ["nothing", ""],
])("a tag with %s is refused with a reason", (_, text) => {
  expect(parsed(text)).toEqual({ problem: expect.any(String) });
});

test("a tag that is not UTF-8 is refused", () => {
  expect(parsed(Buffer.concat([Buffer.from(PAYLOAD), Buffer.from([0xe9, 10])]))).toEqual({
    problem: "it is not UTF-8",
  });
});

test("whatever the bytes are, they are read or refused, never thrown at", () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.nat(PAYLOAD.length - 1).map(flipped));
  fc.assert(
    fc.property(bytes, (raw) => {
      const tag = parsed(Buffer.from(raw));
      if (!("problem" in tag))
        expect(Buffer.concat([tag.payload, tag.signature ?? Buffer.alloc(0)])).toEqual(Buffer.from(raw));
    }),
    { numRuns: 300 },
  );
});

function flipped(offset: number): Uint8Array {
  const raw = Buffer.from(PAYLOAD + SIGNATURE);
  raw[offset] = (raw[offset] ?? 0) ^ 0x40;
  return raw;
}

test("trailers are those of the last paragraph", () => {
  const message = "subject\n\nKai-Agent: not this\n\nKai-Agent: a\nKai-Type: auto\nno trailer\nKai-Type: manual\n";
  expect([...trailersOf(message)]).toEqual([
    ["Kai-Agent", "a"],
    ["Kai-Type", "manual"],
  ]);
});
