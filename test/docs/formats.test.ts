import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseSignedCommit } from "../../src/git/commit-object.js";
import { makeObject } from "../../src/git/object.js";
import { parseTag } from "../../src/git/tag-object.js";
import { parseEntryMessage } from "../../src/operation/entry.js";
import { createKeyRing } from "../../src/trust/key-ring.js";
import { mayDo, parsePolicy } from "../../src/trust/policy.js";
import { verifySignature } from "../../src/trust/signature.js";
import { findRecord } from "../../src/version/find-record.js";
import { type ManifestLine, manifestLines, versionHash } from "../../src/version/manifest.js";
import { formatRecord, recordDigest } from "../../src/version/record.js";
import { parseCurrentTag, parseVersionTag } from "../../src/version/tag-text.js";

const text = readFileSync(new URL("../../docs/formats.md", import.meta.url), "utf8");

/** Wherever its lines break. */
const prose = text.replace(/\s+/g, " ");

/** The example of the page behind this fence, with its last line feed. */
function example(fence: string): string {
  const start = text.indexOf(`\n\`\`\`${fence}\n`);
  if (start < 0) throw new Error(`docs/formats.md has no example ${fence}`);
  const from = start + fence.length + 5;
  return text.slice(from, text.indexOf("\n```\n", from) + 1);
}

const line = (fence: string) => example(fence).trimEnd();
const sha256 = (bytes: string) => createHash("sha256").update(bytes).digest("hex");
const keys = createKeyRing([{ name: "docs/formats.md", bytes: Buffer.from(example("asc")) }]);

function readTag(fence: string) {
  const tag = parseTag(Buffer.from(example(fence)));
  if ("problem" in tag) throw new Error(tag.problem);
  return tag;
}

const readEntry = () => {
  const commit = parseSignedCommit(Buffer.from(example("entry")), "sha1");
  const parsed = commit && parseEntryMessage(commit.message);
  if (!commit || !parsed) throw new Error("the example entry is none");
  return { commit, ...parsed };
};

test("the example manifest is the version's files, and gives the hash that its tag says", () => {
  const manifest = { "kai.yaml": "agent_id: ai.example.greeter\n", "logic.py": "print('hello')\n" };
  const files = Object.keys(manifest).map((path) => ({ path, mode: "100644", id: path }));
  const digests = new Map(Object.entries(manifest).map(([path, content]) => [path, sha256(content)]));
  const lines = manifestLines(files, digests);
  const written = JSON.parse(line("json manifest")) as { files: ManifestLine[] };
  expect(written.files).toEqual(lines);
  const hash = versionHash(lines);
  expect(hash).toBe(`sha256:${sha256(line("json manifest"))}`);
  expect(parseVersionTag(readTag("tag").message)?.hash).toBe(hash);
});

test("paths, order, modes and submodules of the second manifest are as the page says", () => {
  const file = (path: string, mode: string, content: string) => ({ path, mode, id: sha256(content) });
  const files = [
    { path: "vendor/lib", mode: "160000", id: "5f1b2c3d4e5f60718293a4b5c6d7e8f901234567" },
    file("logic.py", "100755", "print('hello')\n"),
    file("caf\xe9.txt", "100644", ""),
    file("README.md", "100644", "hello\n"),
  ];
  const lines = manifestLines(files, new Map(files.map(({ id }) => [id, id])));
  expect((JSON.parse(line("json manifest-2")) as { files: ManifestLine[] }).files).toEqual(lines);
  expect(prose).toContain(`Its version hash is \`${versionHash(lines)}\`.`);
});

test("the example tags are signed by the example key, and are the objects that the entry names", async () => {
  const { entry } = readEntry();
  for (const fence of ["tag", "current"]) {
    const { payload, signature = Buffer.alloc(0), object, name } = readTag(fence);
    expect(await verifySignature({ payload, signature, keys, strict: true })).toMatchObject({ outcome: "good" });
    expect(object).toBe(entry.details["commit"]);
    const { id } = makeObject("tag", example(fence), "sha1");
    expect(entry.changes).toContainEqual({ ref: `refs/tags/${name}`, old: null, new: id });
  }
  const pointer = makeObject("tag", example("current"), "sha1").id;
  expect(parseCurrentTag(readTag("current").message, pointer)).toEqual({
    ...entry.current.after,
    operation: entry.id,
  });
});

test("the example record is canonical, the one that the tag was signed for, and says the same", () => {
  const tag = parseVersionTag(readTag("tag").message);
  const record = findRecord(`{"format":"kai-entry/1"}\n${example("json record")}`, tag?.record ?? "");
  expect(recordDigest(line("json record"))).toBe(tag?.record);
  expect(record && formatRecord(record)).toBe(line("json record"));
  expect(record).toMatchObject({ hash: tag?.hash, repo: tag?.repo, agent: tag?.agent, type: tag?.type, parent: null });
});

test("the page explains every field of record and entry", () => {
  for (const fence of ["json record", "entry"]) {
    const value = fence === "entry" ? readEntry().entry : (JSON.parse(line(fence)) as object);
    for (const field of Object.keys(value)) expect(text, field).toMatch(new RegExp(`^\\| .*\`${field}\``, "m"));
  }
});

test("the example entry is signed by a key that its policy lets release", async () => {
  const { commit, entry, subject } = readEntry();
  const policy = parsePolicy(example("json policy"));
  const verdict = await verifySignature({
    payload: commit.payload,
    signature: commit.signature ?? Buffer.alloc(0),
    keys,
    strict: true,
  });
  expect(verdict).toMatchObject({ outcome: "good", key: entry.actor.key });
  expect(mayDo(policy, entry.actor.key, "releaser")).toBe(true);
  expect({ subject, seq: entry.seq, kind: entry.kind }).toEqual({ subject: "create v1.0.0", seq: 1, kind: "create" });
  expect(prose).toContain(`Object \`${makeObject("commit", example("entry"), "sha1").id}\``);
});
