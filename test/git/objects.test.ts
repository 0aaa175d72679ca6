import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCommitPayload, formatSignedCommit, parseSignedCommit } from "../../src/git/commit-object.js";
import { makeObject, makeTrees, objectId, parseTree } from "../../src/git/object.js";
import { ObjectReader } from "../../src/git/object-reader.js";
import { makePack } from "../../src/git/pack.js";
import { hexLength, type ObjectFormat, openRepository } from "../../src/git/repository.js";
import { formatSignatureLine } from "../../src/git/signature-line.js";
import { writeObjects } from "../../src/git/write-objects.js";
import { scratch } from "../support/scratch.js";

const FORMATS: readonly ObjectFormat[] = ["sha1", "sha256"];

function gitIn({ dir, env }: ReturnType<typeof scratch>, args: readonly string[], input?: Buffer | string): Buffer {
  return execFileSync("git", args, { cwd: dir, env, input: input ?? "", stdio: ["pipe", "pipe", "pipe"] });
}

/** An empty repository of this object format. */
function emptyRepository(format: ObjectFormat) {
  const place = scratch();
  gitIn(place, ["init", "-q", `--object-format=${format}`]);
  return place;
}

test.each(FORMATS)("objects have the ids that git gives them (%s)", (format) => {
  const place = emptyRepository(format);
  for (const content of [Buffer.alloc(0), Buffer.from("hello\n"), Buffer.from([0, 255, 10, 13])]) {
    const said = gitIn(place, ["hash-object", "--stdin", "--no-filters"], content).toString().trim();
    expect(objectId("blob", content, format)).toBe(said);
  }
});

test.each(FORMATS)("a pack of objects of every size is what git unpacks (%s)", async (format) => {
  const place = emptyRepository(format);
  const sizes = [0, 1, 15, 16, 127, 128, 2047, 2048, 70_000];
  const blobs = sizes.map((size) => makeObject("blob", Buffer.alloc(size, size % 251), format));
  gitIn(place, ["unpack-objects", "-q", "--strict"], makePack(blobs, format));
  for (const blob of blobs) expect(gitIn(place, ["cat-file", "blob", blob.id]).equals(blob.content)).toBe(true);
});

test.each(FORMATS)("trees are in git's order, whatever the names (%s)", async (format) => {
  const place = emptyRepository(format);
  const blob = makeObject("blob", "x", format);
  // A folder sorts as if its name ended with a slash: a.b < a/ < a0.
  const names = ["a.b", "a/inner", "a0", "a/deep/er", "Z", "ü", "a b", "new\nline", "-x"];
  const { root, trees } = makeTrees(new Map(names.map((name) => [name, { mode: "100644", id: blob.id }])), format);
  const repository = await openRepository(place.dir, place.env);
  await writeObjects(repository, [blob, ...trees]);
  expect(gitIn(place, ["fsck", "--strict", "--no-dangling"]).toString()).toBe("");
  const listed = gitIn(place, ["ls-tree", "-r", "-z", "--name-only", root.id]).toString().split("\0").slice(0, -1);
  expect(new Set(listed)).toEqual(new Set(names));
  const index = names.map((name) => `100644 ${blob.id}\t${name}\0`).join("");
  gitIn(place, ["update-index", "-z", "--index-info"], index);
  expect(gitIn(place, ["write-tree"]).toString().trim()).toBe(root.id);
});

test("a raw tree is read back, and bytes that are none are refused", () => {
  const blob = makeObject("blob", "x", "sha1");
  const { root } = makeTrees(
    new Map([
      ["run.sh", { mode: "100755", id: blob.id }],
      ["n\xe9", { mode: "120000", id: blob.id }],
    ]),
    "sha1",
    "latin1",
  );
  expect(parseTree(root.content, 20)?.map((entry) => [entry.mode, entry.name.toString("latin1"), entry.id])).toEqual([
    ["120000", "n\xe9", blob.id],
    ["100755", "run.sh", blob.id],
  ]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const entries = parseTree(Buffer.from(bytes), 20);
      expect(entries === undefined || entries.every((entry) => entry.id.length === hexLength("sha1"))).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("a name or an address cannot break out of its line", () => {
  const line = formatSignatureLine(
    { name: "Eve <x>\nparent 0", email: "e>@\nx" },
    new Date("2026-01-01T00:00:00.900Z"),
  );
  expect(line).toBe("Eve xparent 0 <e@x> 1767225600 +0000");
});

test.each(FORMATS)("a signed commit is read back as it was signed, and git takes it (%s)", async (format) => {
  const place = emptyRepository(format);
  const { root, trees } = makeTrees(new Map(), format);
  const payload = formatCommitPayload({
    tree: root.id,
    parents: [],
    who: { name: "Ada Ünder", email: "ada@example.com" },
    at: new Date("2026-01-01T00:00:00Z"),
    message: "subject\n\nbody with gpgsig in it\n",
  });
  const signature = "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n";
  const commit = makeObject("commit", formatSignedCommit(payload, signature, format), format);
  const repository = await openRepository(place.dir, place.env);
  await writeObjects(repository, [...trees, commit]);
  expect(gitIn(place, ["fsck", "--strict", "--no-dangling"]).toString()).toBe("");
  const parsed = parseSignedCommit(commit.content, format);
  expect(parsed?.payload.equals(payload)).toBe(true);
  expect(parsed?.signature?.toString()).toBe(signature);
  expect(parsed).toMatchObject({
    tree: root.id,
    parents: [],
    committer: { name: "Ada Ünder", email: "ada@example.com", at: new Date("2026-01-01T00:00:00Z") },
    message: "subject\n\nbody with gpgsig in it\n",
  });
});

test("commits that are not as ours are written are refused", () => {
  const payload = formatCommitPayload({
    tree: "a".repeat(40),
    parents: ["b".repeat(40)],
    who: { name: "Ada", email: "ada@example.com" },
    at: new Date(0),
    message: "subject",
  }).toString();
  const signed = formatSignedCommit(Buffer.from(payload), "SIG\n", "sha1").toString();
  const refused = (text: string | Buffer) =>
    expect(parseSignedCommit(Buffer.isBuffer(text) ? text : Buffer.from(text), "sha1")).toBeUndefined();
  expect(parseSignedCommit(Buffer.from(signed), "sha1")).toBeDefined();
  refused(payload.replace("parent ", `tree ${"c".repeat(40)}\nparent `));
  refused(payload.replace("\n\n", "\nencoding latin1\n\n"));
  refused(payload.replace("author Ada", "author Ada\nauthor Eve"));
  refused(signed.replace("gpgsig ", "gpgsig-sha256 "));
  refused(signed.replace("gpgsig SIG", "gpgsig SIG\nmergetag x"));
  refused(`${payload}\0`);
  refused(Buffer.concat([Buffer.from(payload), Buffer.from([0xff])]));
});

test("objects are read by id and revision, missing ones are told, one process for all", async () => {
  const place = emptyRepository("sha1");
  const id = gitIn(place, ["hash-object", "-w", "--stdin"], "hello\n").toString().trim();
  const large = Buffer.alloc(3_000_000, 7);
  const largeId = gitIn(place, ["hash-object", "-w", "--stdin", "--no-filters"], large).toString().trim();
  const reader = new ObjectReader(await openRepository(place.dir, place.env));
  try {
    const found = await Promise.all([
      reader.find(id),
      reader.find("HEAD:nowhere"),
      reader.find(largeId),
      reader.find(id),
    ]);
    expect(found.map((object) => object?.content.length)).toEqual([6, undefined, 3_000_000, 6]);
    await expect(reader.read(id, "commit")).rejects.toMatchObject({ code: "E116" });
    expect(() => reader.find(`${id}\n${id}`)).toThrow("line feed");
  } finally {
    reader.close();
  }
});
