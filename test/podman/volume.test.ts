import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { mountTmpfs, seenHere, unmountTmpfs } from "../../src/podman/tmpfs.js";
import { hasQuota, isMounted, mountVolume, remountVolume, unmountVolume } from "../../src/podman/volume.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";

const MIB = 1024 * 1024;
const cache = sharedCache();
const rootless = process.getuid?.() !== 0;

/** Writes until there is no more room; gives how many bytes there were. */
function fill(folder: string): number {
  const file = path.join(folder, "filler");
  execFileSync("sh", ["-c", 'head -c 200000000 /dev/zero > "$1" 2>/dev/null; true', "sh", file]);
  return statSync(file).size;
}

test("a volume holds what it may and no more, and costs little until it is used", async () => {
  const { dir, env } = scratch();
  if (!(await hasQuota(rootless, env))) return;
  const volume = path.join(dir, "volume");
  onTestFinished(() => unmountVolume(volume, env));
  await mountVolume(volume, 16 * MIB, env, cache);
  expect(statSync(volume).mode & 0o777).toBe(0o700);
  const used = () => statSync(`${volume}.ext4`).blocks * 512;
  expect(used()).toBeLessThan(100_000);
  const held = fill(volume);
  expect(held).toBeGreaterThan(12 * MIB);
  expect(held).toBeLessThan(16 * MIB);
});

test("a volume of many gigabytes costs no more than a small one", async () => {
  const { dir, env } = scratch();
  if (!(await hasQuota(rootless, env))) return;
  const volume = path.join(dir, "volume");
  onTestFinished(() => unmountVolume(volume, env));
  await mountVolume(volume, 10 * 1024 * MIB, env, cache);
  for (const name of ["upper", "work"]) mkdirSync(path.join(volume, name));
  execFileSync("sync", ["--file-system", volume]);
  expect(statSync(`${volume}.ext4`).blocks * 512).toBeLessThan(100_000);
  const { blocks, bsize, bavail } = statfsSync(volume);
  expect(blocks * bsize).toBeGreaterThan(9 * 1024 * MIB);
  expect(bavail / blocks).toBeGreaterThan(0.98);
});

test("after a restart a volume is mounted again with all that was in it", async () => {
  const { dir, env } = scratch();
  if (!(await hasQuota(rootless, env))) return;
  const volume = path.join(dir, "volume");
  onTestFinished(() => unmountVolume(volume, env));
  await mountVolume(volume, 16 * MIB, env, cache);
  writeFileSync(path.join(volume, "kept"), "kept");
  await remountVolume(volume, env);
  await unmountVolume(volume, env);
  expect(await isMounted(volume)).toBe(false);
  expect(readdirSync(volume)).toEqual([]);
  await remountVolume(volume, env);
  expect(readFileSync(path.join(volume, "kept"), "utf8")).toBe("kept");
  await unmountVolume(volume, env);
  await unmountVolume(volume, env);
});

test("an image that holds no file system is E103, and nothing is mounted", async () => {
  const { dir, env } = scratch();
  const volume = path.join(dir, "volume");
  mkdirSync(volume);
  // There never was one in it.
  await remountVolume(volume, env);
  writeFileSync(`${volume}.ext4`, Buffer.alloc(MIB));
  await expect(remountVolume(volume, env)).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("The sandbox's disk could not be mounted again"),
  });
  expect(await isMounted(volume)).toBe(false);
});

test("a file system in memory holds what it may, in bytes and in files, and leaves nothing", async () => {
  const { dir, env } = scratch();
  const folder = path.join(dir, "memory");
  onTestFinished(() => unmountTmpfs(folder, rootless, env));
  const seen = await mountTmpfs(folder, 8 * MIB, rootless, env);
  expect(await seenHere(folder, rootless, env)).toBe(seen);
  expect(fill(seen)).toBe(8 * MIB);
  rmSync(path.join(seen, "filler"));
  const many = () => Array.from({ length: 5000 }, (_, index) => writeFileSync(path.join(seen, `${index}`), ""));
  expect(many).toThrow("ENOSPC");
  expect(readdirSync(seen).length).toBeLessThan(2048);
  await unmountTmpfs(folder, rootless, env);
  expect(await seenHere(folder, rootless, env)).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
  await unmountTmpfs(folder, rootless, env);
});

test("a volume larger than files may be is told as that", async () => {
  const { dir, env } = scratch();
  if (!(await hasQuota(rootless, env))) return;
  await expect(
    mountVolume(path.join(dir, "volume"), Number.MAX_SAFE_INTEGER, env, path.join(dir, "cache")),
  ).rejects.toMatchObject({
    code: "E103",
    message: expect.stringMatching(/^The sandbox's disk could not be made: /),
  });
});
