import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { emptyTrash } from "../../src/system/discard-folder.js";
import { scratch } from "../support/scratch.js";

test("what was left in the trash long ago is removed; nothing that a link in its place leads to", async () => {
  const { dir } = scratch();
  const [trash, theirs, link] = ["trash", "theirs", "link"].map((name) => path.join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [trash, theirs]) {
    mkdirSync(folder);
    writeFileSync(path.join(folder, "old"), "");
  }
  symlinkSync(theirs, link);
  const later = Date.now() + 3_600_000;
  vi.spyOn(Date, "now").mockReturnValue(later);
  onTestFinished(() => void vi.restoreAllMocks());
  await emptyTrash(link);
  await emptyTrash(trash);
  while (existsSync(path.join(trash, "old"))) await setTimeout(5);
  expect(existsSync(path.join(theirs, "old"))).toBe(true);
});
