import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import type { Repository } from "../../src/git/repository.js";
import { runGit } from "../../src/git/run-git.js";
import { type Entry, LOG_REF } from "../../src/operation/entry.js";
import { digestOfEntry } from "../../src/trust/trust-root.js";
import { findRootOf, readTrustedLog } from "../../src/trust/trusted-log.js";
import { addEntry, emptyRepository } from "./hand-made-log.js";
import { testSigner } from "./signing.js";

function readerOf(repository: Repository): ObjectReader {
  const reader = new ObjectReader(repository);
  onTestFinished(() => reader.close());
  return reader;
}

const IN_FORCE = { version: "1.0.0", tag: "a".repeat(40), pointer: "b".repeat(40) };

const WRONG: readonly [string, Partial<Entry>, RegExp][] = [
  ["of another kind", { kind: "create" }, /of the kind create, not init/],
  ["that is not number 0", { seq: 7 }, /its number is 7, not 0/],
  ["that puts a version in force", { current: { before: null, after: IN_FORCE } }, /puts a version in force/],
  ["before which a version was in force", { current: { before: IN_FORCE, after: null } }, /puts a version in force/],
  ["whose repository has no proper id", { repo: "../other" }, /not 32 hexadecimal digits/],
];

test.each(WRONG)("a first entry %s founds no log", async (_, entry, why) => {
  const repository = await emptyRepository();
  await addEntry(repository, { signer: await testSigner(), entry });
  await expect(findRootOf(repository, readerOf(repository), LOG_REF)).rejects.toMatchObject({
    code: "E121",
    message: expect.stringMatching(why),
  });
});

test("a log of which git shows only the newest entries has no first one", async () => {
  const repository = await emptyRepository();
  const signer = await testSigner();
  const first = await addEntry(repository, { signer });
  const reader = readerOf(repository);
  expect(await findRootOf(repository, reader, LOG_REF)).toMatchObject({ root: first, origin: "first-use" });
  const second = await addEntry(repository, { signer, parents: [first], entry: { kind: "create" } });
  await writeFile(path.join(repository.gitDir, "shallow"), `${second}\n`);
  await expect(findRootOf(repository, reader, LOG_REF)).rejects.toMatchObject({
    code: "E121",
    message: expect.stringContaining("it has a parent"),
  });
});

test("a pinned entry that founds no log, or another one, is refused when the log is read from it on", async () => {
  const repository = await emptyRepository();
  const signer = await testSigner();
  const first = await addEntry(repository, { signer });
  const reader = readerOf(repository);
  const root = await findRootOf(repository, reader, LOG_REF);
  const second = await addEntry(repository, { signer, parents: [first], entry: { kind: "create" } });
  expect(await readTrustedLog(repository, reader, root, { from: first })).toMatchObject({ head: second });
  await addEntry(repository, { signer, parents: [second], entry: { kind: "create", seq: 2 } });
  const digest = digestOfEntry(await runGit(repository, ["cat-file", "commit", second]));
  for (const [pinned, why] of [
    [{ ...root, repo: "f".repeat(32) }, /not the one that was pinned/],
    [{ ...root, root: second, seen: second, digest }, /founds none: it has a parent/],
  ] as const) {
    const reading = readTrustedLog(repository, reader, pinned, { from: pinned.root });
    await expect(reading).rejects.toMatchObject({ code: "E121", message: expect.stringMatching(why) });
  }
});
