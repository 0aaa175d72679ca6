import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sweepSandboxFolders } from "../../src/snapshot/sandbox/forsaken-folders.js";
import { listOrigins, makeSandboxFolder, ownTempDir } from "../../src/snapshot/sandbox/sandbox-folder.js";
import { sandboxFolderIn } from "../../src/snapshot/sandbox/sandbox-names.js";
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

test("what a repository or another user put there is not cleared away, nor what it links to unmounted", async () => {
  const { dir, env } = scratch();
  const tempDir = path.join(dir, "snapshots");
  await makeSandboxFolder(sandboxFolderIn(tempDir, "ours"), ORIGIN);
  const mounted = path.join(dir, "mounted");
  mkdirSync(mounted);
  const mounts = () =>
    readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(` ${mounted} `));
  if (US === 0) {
    execFileSync("mount", ["-t", "tmpfs", "kai-test", mounted]);
    onTestFinished(() => void execFileSync("umount", ["--quiet", "--lazy", mounted]));
  }
  const before = mounts();
  // As it comes with a clone of somebody whose umask is 077.
  const cloned = sandboxFolderIn(tempDir, "cloned");
  await makeSandboxFolder(cloned, ORIGIN);
  symlinkSync(mounted, path.join(cloned, "volume"));
  const theirs = ["kai-snapshot.theirs", "kai-probe-4194303-theirs"];
  for (const name of theirs) {
    const folder = path.join(tempDir, name);
    mkdirSync(folder);
    writeFileSync(path.join(folder, "origin.json"), JSON.stringify(ORIGIN));
    symlinkSync(mounted, path.join(folder, "volume"));
    chmodSync(folder, 0o755);
  }
  const host = { rootless: US !== 0, env };
  expect(await sweepSandboxFolders(tempDir, host, new Date())).toEqual(["kai-snapshot.cloned", "kai-snapshot.ours"]);
  expect([readdirSync(tempDir).sort(), mounts()]).toEqual([theirs.sort(), before]);
});

test.each([
  ["a device that never ends", (file: string) => symlinkSync("/dev/zero", file)],
  ["a FIFO that nobody writes to", (file: string) => void execFileSync("mkfifo", [file])],
  ["no JSON", (file: string) => writeFileSync(file, "{")],
  ["another form", (file: string) => writeFileSync(file, JSON.stringify({ ...ORIGIN, owner: 7, snapshot: { id: 8 } }))],
  [
    "more than any origin has",
    (file: string) => {
      writeFileSync(file, "{");
      truncateSync(file, 2 ** 31);
    },
  ],
])("a folder whose origin is %s is nobody's and stays", async (_what, write) => {
  const { dir, env } = scratch();
  const folder = sandboxFolderIn(dir, "a");
  mkdirSync(folder, { mode: 0o700 });
  write(path.join(folder, "origin.json"));
  expect(await sweepSandboxFolders(dir, { rootless: US !== 0, env }, new Date())).toEqual([]);
  expect(await listOrigins(dir)).toEqual(new Map());
  expect(readdirSync(dir)).toContain("kai-snapshot.a");
});
