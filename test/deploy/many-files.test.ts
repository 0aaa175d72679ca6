import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { formatTable } from "../../src/cli/table.js";
import type { PlainRepository } from "../../src/deploy/plain-repository.js";
import { readVersionFiles } from "../../src/deploy/version-files.js";
import { makeTrees } from "../../src/git/object.js";
import { findObstacles } from "../../src/operation/find-obstacles.js";
import { scratch } from "../support/scratch.js";

/** More than one call takes arguments. */
const MANY = 131_000;

const id = "a".repeat(40);

test("a version of many files in one folder is listed", async () => {
  const { dir } = scratch();
  const entry = (mode: string, name: string) => ({ mode, name: Buffer.from(name), id });
  const files = Array.from({ length: MANY }, (_, index) => entry("100644", `${index}`));
  const repository: Partial<PlainRepository> = {
    workTree: dir,
    gitDir: dir,
    treeOf: async () => "top",
    readTree: async (tree) => (tree === "top" ? [entry("40000", "data")] : files),
    read: async () => Buffer.from(""),
  };
  const version = await readVersionFiles(repository as PlainRepository, id);
  expect(version.files).toHaveLength(MANY);
  expect(version.files[1]).toEqual({ path: "data/1", mode: "100644", id });
});

test("many files that stand where a file comes are found", async () => {
  const { dir } = scratch();
  const folder = path.join(dir, "data/within");
  mkdirSync(folder, { recursive: true });
  for (let file = 0; file < MANY; file++) closeSync(openSync(path.join(folder, `${file}`), "w"));
  const change = { path: "data", oldMode: "000000", oldId: "", newMode: "100644", newId: id };
  expect(await findObstacles(dir, [change])).toHaveLength(MANY);
});

test("many folders in one are written as trees", () => {
  const files = Array.from({ length: MANY }, (_, index) => [`data/${index}/x`, { mode: "100644", id }] as const);
  expect(makeTrees(new Map(files), "sha1").trees).toHaveLength(MANY + 2);
});

test("many rows make a table", () => {
  const rows = Array.from({ length: MANY }, (_, index) => [`${index}`]);
  expect(formatTable([{ title: "n" }], rows).split("\n")).toHaveLength(MANY + 1);
});
