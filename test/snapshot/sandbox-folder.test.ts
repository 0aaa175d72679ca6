import { chmodSync, chownSync, mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makeSandboxFolder, ownTempDir, sandboxFolderIn } from "../../src/snapshot/sandbox/sandbox-folder.js";
import { scratch } from "../support/scratch.js";

const US = process.getuid?.();
const ORIGIN = { record: "/nowhere", owner: "", throwAway: true, expiresAt: new Date(0).toISOString() };

/** A folder of another user's: root makes one over, anybody else takes one of root's. */
function foreignFolder(mode: number): string {
  if (US !== 0) return "/usr";
  const folder = path.join(scratch().dir, "theirs");
  mkdirSync(folder);
  chmodSync(folder, mode);
  chownSync(folder, 12_345, 12_345);
  return folder;
}

test("sandboxes are made where they are wanted, if nobody else can take them away there", async () => {
  const { dir } = scratch();
  const missing = path.join(dir, "snapshots");
  expect(await ownTempDir(missing)).toBe(missing);
  await makeSandboxFolder(sandboxFolderIn(missing, "a"), ORIGIN);
  expect(await ownTempDir(missing)).toBe(missing);
  // Root's own, and sticky.
  expect(await ownTempDir("/tmp")).toBe("/tmp");
});

test("in another user's folder there is none: one of the caller's own is taken", async () => {
  for (const mode of [0o755, 0o1777]) {
    const theirs = foreignFolder(mode);
    expect(await ownTempDir(theirs)).toBe(`${theirs}-${US}`);
    await expect(makeSandboxFolder(sandboxFolderIn(theirs, "a"), ORIGIN)).rejects.toMatchObject({ code: "E103" });
  }
});
