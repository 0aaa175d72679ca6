import { expect, onTestFinished, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import type { RefChange } from "../../src/git/ref-transaction.js";
import { type Entry, LOG_REF } from "../../src/operation/entry.js";
import { findRootOf, readTrustedLog } from "../../src/trust/trusted-log.js";
import { addEntry, emptyRepository } from "./hand-made-log.js";
import { testSigner } from "./signing.js";

const [A, B] = ["a".repeat(40), "b".repeat(40)];

const change = (ref: string, old: string | null, next: string | null): RefChange => ({
  ref: `refs/tags/${ref}`,
  old,
  new: next,
});

const LAST: readonly [string, readonly RefChange[], RegExp | undefined][] = [
  ["makes another tag", [change("v1.1.0", null, B)], undefined],
  ["moves `current`", [change("current", A, B)], undefined],
  ["deletes `current`", [change("current", A, null)], undefined],
  ["moves a version's tag", [change("v1.0.0", A, B)], /it moves refs\/tags\/v1\.0\.0/],
  ["deletes a version's tag", [change("v1.0.0", A, null)], /it deletes refs\/tags\/v1\.0\.0/],
  ["makes a tag twice", [change("v1.1.0", null, A), change("v1.1.0", null, B)], /it moves refs\/tags\/v1\.1\.0/],
  ["makes a tag that was made", [change("v1.0.0", null, B)], /makes refs\/tags\/v1\.0\.0 again/],
];

test.each(LAST)(
  "an entry that %s, judged by the whole log and by one who has seen the rest",
  async (_, changes, why) => {
    const repository = await emptyRepository();
    const signer = await testSigner();
    const ids: string[] = [];
    const add = async (entry: Partial<Entry>) => {
      const parents = ids.slice(-1);
      ids.push(await addEntry(repository, { signer, parents, entry: { ...entry, seq: ids.length } }));
    };
    await add({});
    const reader = new ObjectReader(repository);
    onTestFinished(() => reader.close());
    const root = await findRootOf(repository, reader, LOG_REF);
    await add({ kind: "create", changes: [change("v1.0.0", null, A), change("current", null, A)] });
    await add({ kind: "rollback", changes: [change("current", A, B)] });
    const seen = { ...root, seen: ids.at(-1) ?? "" };
    await add({ kind: "create", changes });
    for (const from of [root, seen]) {
      const reading = readTrustedLog(repository, reader, from);
      if (why === undefined) expect(await reading).toMatchObject({ head: ids.at(-1) });
      else await expect(reading).rejects.toMatchObject({ code: "E121", message: expect.stringMatching(why) });
    }
  },
);
