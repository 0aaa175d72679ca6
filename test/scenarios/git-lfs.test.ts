import { createHash, randomBytes } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { scratch } from "../support/scratch.js";
import { type Place, placeAt, refused, told } from "./place.js";

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
const pointerTo = (bytes: Buffer): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`;

interface LfsAgent {
  readonly place: Place;
  /** The bare repository that it was pushed to, with the contents. */
  readonly remote: string;
  readonly models: Readonly<Record<"first" | "second", Buffer>>;
}

/** An agent whose model git-lfs keeps, with versions 1.0.0 and 1.1.0 of it, all pushed. */
async function agentWithModel(): Promise<LfsAgent> {
  const { dir, env } = scratch();
  const remote = path.join(path.dirname(dir), "remote.git");
  const place = placeAt(dir, env);
  const models = { first: randomBytes(100_000), second: randomBytes(50_000) };
  place.git("init", "-q", "-b", "main");
  place.git("init", "-q", "-b", "main", "--bare", remote);
  place.git("remote", "add", "origin", `file://${remote}`);
  place.git("lfs", "install", "--local");
  place.git("lfs", "track", "*.bin");
  place.write("logic.py", "print(1)\n");
  place.write("model.bin", models.first);
  place.commit("feat: a model");
  await told(place, "init", "--yes");
  await told(place, "create", "--as", "1.0.0");
  place.write("model.bin", models.second);
  place.commit("feat: a better model");
  await told(place, "create", "--as", "1.1.0");
  place.git("push", "-q", "origin", "main", "--tags", "refs/kai/log", "refs/notes/kai");
  return { place, remote, models };
}

/** A clone that has the pointers and none of the contents, as a machine without git-lfs makes it. */
async function cloneWithoutContents({ place, remote }: LfsAgent, { filter }: { filter: boolean }): Promise<Place> {
  const dir = path.join(path.dirname(place.dir), "clone");
  await place.run("git", ["clone", "-q", `file://${remote}`, dir], { env: { GIT_LFS_SKIP_SMUDGE: "1" } });
  const clone = placeAt(dir, place.env);
  if (filter) clone.git("lfs", "install", "--local");
  await told(clone, "init", "--yes");
  return clone;
}

const modelIn = (place: Place): Buffer => readFileSync(path.join(place.dir, "model.bin"));

test("the pointer is what is hashed, the record says what it names, and the real content comes back", async () => {
  const { place, models } = await agentWithModel();
  expect(place.git("cat-file", "blob", "v1.0.0:model.bin")).toBe(pointerTo(models.first).trimEnd());
  expect(modelIn(place)).toEqual(models.second);
  for (const [version, model] of [
    ["1.0.0", models.first],
    ["1.1.0", models.second],
  ] as const) {
    const { record } = await told(place, "show", version);
    expect(JSON.stringify(record)).toContain(
      `"lfs":[{"oid":"sha256:${sha256(model)}","path":"model.bin","size":${model.length}}]`,
    );
  }
  expect(await told(place, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 2 });
  await told(place, "rollback", "1.0.0");
  expect(modelIn(place)).toEqual(models.first);
  expect(place.git("status", "--porcelain")).toBe("");
  expect(place.git("cat-file", "blob", "HEAD:model.bin")).toBe(pointerTo(models.first).trimEnd());
  expect((await loadAgent(place.dir)).version).toBe("1.0.0");
  await told(place, "undo");
  expect(modelIn(place)).toEqual(models.second);
  expect(place.git("status", "--porcelain")).toBe("");
});

test("a model that was changed and not committed is refused, and with --force kept as it is", async () => {
  const { place, models } = await agentWithModel();
  const own = randomBytes(30_000);
  place.write("model.bin", own);
  expect(await refused(place, "rollback", "1.0.0")).toMatchObject({ code: "E102" });
  expect(modelIn(place)).toEqual(own);
  await told(place, "rollback", "1.0.0", "--force");
  expect(modelIn(place)).toEqual(models.first);
  const backup = place.git("for-each-ref", "--format=%(refname)", "refs/kai/backup");
  place.git("checkout", backup, "--", "model.bin");
  expect(modelIn(place)).toEqual(own);
});

test("a clone without the contents fetches the one that a rollback needs", async () => {
  const agent = await agentWithModel();
  const clone = await cloneWithoutContents(agent, { filter: true });
  expect(modelIn(clone).toString()).toBe(pointerTo(agent.models.second));
  expect(await told(clone, "verify", "--all", "--deep")).toMatchObject({ ok: true });
  await told(clone, "rollback", "1.0.0");
  expect(modelIn(clone)).toEqual(agent.models.first);
  expect(clone.git("status", "--porcelain")).toBe("");
});

test("where a content cannot be had nothing is changed, and git-lfs is named", async () => {
  const agent = await agentWithModel();
  const clone = await cloneWithoutContents(agent, { filter: true });
  rmSync(path.join(agent.remote, "lfs"), { recursive: true });
  const head = clone.git("rev-parse", "HEAD");
  const error = await refused(clone, "rollback", "1.0.0");
  expect(error).toMatchObject({ code: "E116", exit: 1 });
  expect(error.message).toContain("model.bin: smudge filter lfs failed");
  expect(error.hint).toContain("`git lfs fetch --all`");
  expect(clone.git("rev-parse", "HEAD")).toBe(head);
  expect(modelIn(clone).toString()).toBe(pointerTo(agent.models.second));
  expect(clone.git("status", "--porcelain")).toBe("");
  expect((await told(clone, "recover")).recovered).toEqual([]);
});

test("where git has no such filter, pointers come in place of pointers", async () => {
  const agent = await agentWithModel();
  const clone = await cloneWithoutContents(agent, { filter: false });
  await told(clone, "rollback", "1.0.0");
  expect(modelIn(clone).toString()).toBe(pointerTo(agent.models.first));
  expect(clone.git("status", "--porcelain")).toBe("");
  expect((await loadAgent(clone.dir)).version).toBe("1.0.0");
});
