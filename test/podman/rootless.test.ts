import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bundle } from "../support/bundle.js";
import { cleanEnvironment } from "../support/scratch.js";
import { strangerIn } from "../support/stranger.js";

const MIB = 1024 * 1024;
/** A megabyte at eight megabits a second, but for what passes at once. */
const LEAST_SECONDS = 0.75;

test("an ordinary user has sandboxes that idle, execute, end what they started, and are limited", async () => {
  const base = realpathSync(mkdtempSync(path.join(tmpdir(), "kai-rootless-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const home = path.join(base, "home");
  mkdirSync(home);
  const env = cleanEnvironment(home);
  const program = await bundle(new URL("rootless-program.ts", import.meta.url), base);
  const root = process.getuid?.() === 0;
  const stranger = root ? strangerIn(base, home) : undefined;
  const [file, ...args] = stranger?.command(program, base) ?? [process.execPath, program, base];
  const ran = spawnSync(file, args, { env: { ...env, ...stranger?.env }, encoding: "utf8", maxBuffer: 64 * MIB });
  expect(ran).toMatchObject({ stderr: "", status: 0 });
  const { rootless, usual, inMemory, bridged, left } = JSON.parse(ran.stdout);
  expect({ rootless, left }).toEqual({ rootless: true, left: [] });

  expect(usual).toMatchObject({
    files: "1000\nfrom the version\nnew\n",
    owner: ["b.txt"],
    ended: "begun\nout of time",
    left: expect.not.stringMatching(/sleep 100[12]/),
    stopped: "stopped",
  });
  for (const name of ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"]) {
    expect(usual.namespaces).not.toContain(readlinkSync(`/proc/self/ns/${name}`));
  }

  expect(inMemory.files).toEqual(["big"]);
  expect(inMemory.held).toBeGreaterThan(7 * MIB);
  expect(inMemory.held).toBeLessThanOrEqual(8 * MIB);

  expect(bridged).toEqual({ seconds: [expect.any(Number), expect.any(Number)] });
  for (const seconds of bridged.seconds) expect(seconds).toBeGreaterThan(LEAST_SECONDS);
});
