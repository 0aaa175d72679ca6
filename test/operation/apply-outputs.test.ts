import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { applyOutputs, type StagedOutput, writeStagedOutputs } from "../../src/operation/apply-outputs.js";
import { listKept, readKeptOutputs } from "../../src/operation/kept-outputs.js";
import { scratch } from "../support/scratch.js";

/** A folder on a file system in memory, which a temporary folder mostly is not on. */
function inMemory(): string {
  const folder = mkdtempSync("/dev/shm/kai-");
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A working tree, a staging folder and one for what is replaced, with operations that are staged by their names. */
function place({ replaced = path.join(scratch().dir, "replaced") } = {}) {
  const { dir } = scratch();
  const [workTree, staging] = [path.join(dir, "tree"), path.join(dir, "staging")];
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const at = (name: string) => path.join(workTree, name);
  mkdirSync(workTree);
  mkdirSync(replaced, { recursive: true });
  return {
    at,
    kept: (operation: string, number: number) => path.join(replaced, operation, String(number)),
    folder: (operation: string) => path.join(staging, operation),
    has: (name: string) => existsSync(at(name)),
    read: (name: string) => readFileSync(at(name), "utf8"),
    put: (name: string, text: string) => write(at(name), text),
    list: async (operation: string) => (await listKept(path.join(replaced, operation))).map((each) => each.path),
    manifest: (operation: string) => readKeptOutputs(path.join(replaced, operation)),
    replaced: () => readdirSync(replaced),
    /** Stages these files, each the only one of a folder by that path, or else what is said. */
    async stage(
      operation: string,
      outputs: Readonly<Record<string, string | StagedOutput["source"]>>,
      restores?: string,
    ) {
      const folder = path.join(staging, operation);
      mkdirSync(folder, { recursive: true });
      const staged = Object.entries(outputs).map(([name, output], number): StagedOutput => {
        if (typeof output !== "string") return { path: name, source: output };
        write(path.join(folder, "outputs", String(number), "file"), output);
        return { path: name, source: { kind: "staged" } };
      });
      await writeStagedOutputs(folder, { operation, restores: restores ?? null, outputs: staged });
      const apply = () => applyOutputs({ folder, gitDir: "", workTree }, replaced);
      return { folder, apply, files: (number: number) => path.join(folder, "outputs", String(number)) };
    },
  };
}

const KEPT = (number: number) => ({ kind: "kept", number }) as const;

for (const [where, make] of [
  ["on one file system", () => undefined],
  ["across two", inMemory],
] as const) {
  test(`what is replaced is kept, and put back by who takes the operation back, ${where}`, async () => {
    const replaced = make();
    const tree = place(replaced === undefined ? {} : { replaced });
    tree.put("modules/file", "old");
    tree.put("modules/deep/er", "mine");
    symlinkSync("..", tree.at("modules/deep/link"));
    const first = await tree.stage("A", { modules: "new", "made/here": "new" });
    expect(await first.apply()).toEqual([]);
    expect([tree.read("modules/file"), tree.has("modules/deep"), tree.read("made/here/file")]).toEqual([
      "new",
      false,
      "new",
    ]);
    expect(await tree.list("A")).toEqual(["modules"]);
    // Again, as after a crash at the end.
    expect(await first.apply()).toEqual([]);
    tree.put("modules/since", "learnt");

    const back = await tree.stage("B", { modules: KEPT(0), "made/here": { kind: "none" } }, "A");
    expect(existsSync(tree.kept("A", 0))).toBe(true);
    expect(await back.apply()).toEqual([]);
    expect(await back.apply()).toEqual([]);
    expect([tree.read("modules/file"), tree.read("modules/deep/er"), tree.has("made/here")]).toEqual([
      "old",
      "mine",
      false,
    ]);
    expect(tree.read("modules/deep/link/file")).toBe("old");
    expect(await tree.list("B")).toEqual(["modules", "made/here"]);
    expect(readFileSync(path.join(tree.kept("B", 0), "since"), "utf8")).toBe("learnt");
    // Of the first nothing is left to keep.
    expect(tree.replaced()).toEqual(["B"]);
  });
}

test("cut short between keeping what was there and putting the new in place, it goes on", async () => {
  const tree = place();
  tree.put("modules/file", "old");
  const { apply } = await tree.stage("A", { modules: "new" });
  mkdirSync(path.dirname(tree.kept("A", 0)), { recursive: true });
  renameSync(tree.at("modules"), tree.kept("A", 0));
  writeFileSync(path.join(path.dirname(tree.kept("A", 0)), "outputs.json.new-1"), "[");
  expect(await apply()).toEqual([]);
  expect(readdirSync(path.dirname(tree.kept("A", 0)))).toEqual(["0", "outputs.json"]);
  expect([tree.read("modules/file"), await tree.list("A")]).toEqual(["new", ["modules"]]);
});

test("cut short while a copy took the place of what is on another file system, it goes on", async () => {
  const tree = place();
  tree.put("modules/file", "old");
  const { apply, folder } = await tree.stage("A", { modules: "new" });
  mkdirSync(`${tree.kept("A", 0)}.copy`, { recursive: true });
  mkdirSync(path.join(folder, "replaced"));
  renameSync(tree.at("modules"), path.join(folder, "replaced/0"));
  expect(await apply()).toEqual([]);
  expect([tree.read("modules/file"), await tree.list("A")]).toEqual(["new", ["modules"]]);
});

test("cut short between fetching what is put back and placing it, it goes on", async () => {
  const tree = place();
  tree.put("modules/file", "new");
  mkdirSync(tree.kept("A", 0), { recursive: true });
  const { apply, files } = await tree.stage("B", { modules: KEPT(0) }, "A");
  mkdirSync(path.dirname(files(0)), { recursive: true });
  renameSync(tree.kept("A", 0), files(0));
  writeFileSync(path.join(files(0), "file"), "old");
  expect(await apply()).toEqual([]);
  expect([tree.read("modules/file"), await tree.list("B")]).toEqual(["old", ["modules"]]);
});

test("what somebody made anew meanwhile stays, and nobody takes it for ours later", async () => {
  const tree = place();
  const { apply } = await tree.stage("A", { modules: "new", other: "new" });
  mkdirSync(tree.kept("A", 0), { recursive: true });
  tree.put("modules/file", "theirs");
  expect(await apply()).toEqual(["modules"]);
  expect([tree.read("modules/file"), tree.read("other/file")]).toEqual(["theirs", "new"]);
  expect(await tree.manifest("A")).toEqual([
    { path: "modules", placed: false },
    { path: "other", placed: true },
  ]);
});

test("a link or a file above keeps it from its place", async () => {
  const tree = place();
  symlinkSync("/tmp", tree.at("link"));
  tree.put("file", "a file");
  const { apply } = await tree.stage("A", { "link/modules": "new", "file/modules": "new" });
  expect(await apply()).toEqual(["link/modules", "file/modules"]);
  expect(tree.read("file")).toBe("a file");
});

test("nothing installed leaves nothing behind", async () => {
  const tree = place();
  const { apply } = await tree.stage("A", {});
  expect(await apply()).toEqual([]);
  expect(tree.replaced()).toEqual([]);
});
