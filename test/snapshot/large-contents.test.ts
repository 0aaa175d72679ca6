import { truncateSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ObjectReader } from "../../src/git/object-reader.js";
import { openRepository } from "../../src/git/repository.js";
import { executableInDiff } from "../../src/snapshot/executable-in-diff.js";
import { rawLfsStored } from "../../src/snapshot/ingest/raw-lfs.js";
import { findConfigFile, findVersionConfig } from "../../src/version/version-config.js";
import { helloRepository } from "../support/hello-repository.js";

/** A commit that holds these files, with a reader that counts the bytes it gives. */
async function committed(files: Readonly<Record<string, string>>) {
  const place = helloRepository();
  for (const [name, content] of Object.entries(files)) place.write(name, content);
  place.commit("feat: more");
  const repository = await openRepository(place.dir, place.env);
  const given = { bytes: 0 };
  class Counting extends ObjectReader {
    override async find(name: string, most?: number) {
      const found = await super.find(name, most);
      given.bytes += found?.content.length ?? 0;
      return found;
    }
  }
  const id = (name: string) => place.git("rev-parse", `HEAD:${name}`).trim();
  return { ...place, repository, reader: new Counting(repository), given, id };
}

test("of an object no more is kept than was asked for, and the next one is read from its beginning", async () => {
  const large = "0123456789".repeat(300_000);
  const { reader, id } = await committed({ large, empty: "", small: "small" });
  try {
    const ids = ["large", "small", "large", "empty", "large", "small"].map(id);
    const most = [7, 5, undefined, 0, 0, 4];
    const found = await Promise.all(ids.map((each, index) => reader.find(each, most[index])));
    const texts = ["0123456", "small", large, "", "", "smal"];
    expect(found.map((each) => each?.content.toString() === texts[found.indexOf(each)])).toEqual(texts.map(() => true));
    expect(found.map((each) => each?.content.length)).toEqual([7, 5, large.length, 0, 0, 4]);
  } finally {
    reader.close();
  }
});

test("a kai.yaml and a pointer that are too large are not read whole to learn that", async () => {
  const large = "# much\n".repeat(500_000);
  const { dir, repository, reader, given, id } = await committed({
    "kai.yaml": large,
    "a.bin": large,
    ".gitattributes": "*.bin filter=lfs\n",
  });
  try {
    const scratch = path.join(dir, ".git", "scratch");
    expect(await findVersionConfig(reader, "HEAD")).toBeNull();
    expect((await findConfigFile(reader, "HEAD"))?.length).toBeLessThan(300_000);
    const change = { path: "a.bin", oldMode: "0", oldId: "", newMode: "100644", newId: id("a.bin") };
    expect(await rawLfsStored({ repository, reader, tree: "HEAD", scratch }, [change])).toEqual(new Set(["a.bin"]));
    expect(given.bytes).toBeLessThan(1_000_000);
  } finally {
    reader.close();
  }
});

test("nor is one that a sandbox made larger than any memory", async () => {
  const { dir, repository, reader } = await committed({ "kai.yaml": "agent_id: ai.example.clerk\n" });
  const size = 3 * 1024 ** 3;
  truncateSync(path.join(dir, "kai.yaml"), size);
  const change = { path: "kai.yaml", change: "modified", mode: "100644", size } as const;
  const found = { changes: [change], refused: new Map(), folder: dir };
  const record = { commit: "HEAD", tree: "HEAD" };
  try {
    expect(
      await executableInDiff(repository, reader, {} as never, { record: record as never, found: found as never }),
    ).toEqual([{ path: "kai.yaml", reason: "it cannot be read any more" }]);
  } finally {
    reader.close();
  }
});
