import { chownSync, readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { bench, sharedCache, testInSandbox, usualSettings } from "./sandbox.js";

const MIB = 1024 * 1024;
const cache = sharedCache();

test("a memory bomb is killed, and said to be one", async () => {
  const { request } = bench(cache);
  const bomb = "a = []\nwhile True: a.append(bytes(16 * 1024 * 1024))";
  const result = await testInSandbox(request(["/usr/bin/python3", "-c", bomb], {}, { memoryBytes: 64 * MIB }));
  expect(result.passed).toBe(false);
  if (result.unenforced.includes("memory")) {
    // Each process has a limit of its own at least, and nobody calls it more than that.
    expect(result).toMatchObject({ exitCode: 1, oomKilled: false, stderr: expect.stringContaining("MemoryError") });
    return;
  }
  expect(result).toMatchObject({
    exitCode: 137,
    oomKilled: true,
    timedOut: false,
    failures: ["It ran out of memory and was killed."],
  });
  expect(result.resources.peakMemory).toBeGreaterThan(32 * MIB);
});

test("a fork bomb gets no further than the limit of processes", async () => {
  const { request } = bench(cache);
  const bomb = [
    "import os, time",
    "children = 0",
    "try:",
    "    while children < 500:",
    "        if os.fork() == 0: time.sleep(60); os._exit(0)",
    "        children += 1",
    "except BlockingIOError: pass",
    "print(children)",
  ].join("\n");
  const result = await testInSandbox(request(["/usr/bin/python3", "-c", bomb], {}, { pids: 20 }));
  expect(Number(result.stdout)).toBeLessThan(20);
  expect(result.exitCode).toBe(0);
});

test("a loop that ignores TERM is ended when its time is up", async () => {
  const { request } = bench(cache);
  const result = await testInSandbox(
    request(["sh", "-c", "trap '' TERM INT HUP; echo begun; while :; do :; done"], {}, { timeoutMs: 1500 }),
  );
  expect(result).toMatchObject({ timedOut: true, oomKilled: false, passed: false, stdout: "begun\n" });
  expect(result.failures).toEqual([expect.stringContaining("out of time")]);
});

test("a disk filler meets the end of its own disk", async () => {
  const { request } = bench(cache);
  const result = await testInSandbox(
    request(["sh", "-c", "head -c 100000000 /dev/zero > big; wc -c < big"], {}, { storageBytes: 16 * MIB }),
  );
  if (result.unenforced.includes("storage")) return;
  expect(result.stderr).toContain("No space left on device");
  expect(Number(result.stdout)).toBeLessThan(16 * MIB);
});

test.each([
  ["its user", { uid: 1000, gid: 1000 }],
  ["root", { uid: 0, gid: 0 }],
])("a root that can be written is limited by storage, too: as %s", async (_who, user) => {
  for (const filesystem of ["overlay", "tmpfs"] as const) {
    const { request, tempDir } = bench(cache);
    const security = { ...usualSettings().security, readOnlyRoot: false, user };
    const fill = ["sh", "-c", "echo kept > small; head -c 100000000 /dev/zero > /big; wc -c < /big"] as const;
    const asked = request(fill, { settings: { filesystem, security } }, { storageBytes: 16 * MIB });
    // The bench's files are user 1000's.
    const result = await testInSandbox({ ...asked, tree: treeOf(asked.tree, user.uid) });
    expect(readdirSync(tempDir)).toEqual([]);
    if (result.unenforced.includes("storage")) return;
    expect(result.stderr).toContain("No space left on device");
    expect(Number(result.stdout)).toBeLessThan(16 * MIB);
    expect(result.artifacts).toEqual([{ path: "small", change: "added" }]);
  }
});

function treeOf(tree: string, owner: number): string {
  if (process.getuid?.() === 0) chownSync(tree, owner, owner);
  return tree;
}

test("50 MB of output are read to the end, and of them half a megabyte from either end is kept", async () => {
  const { request } = bench(cache);
  const result = await testInSandbox(request(["sh", "-c", "head -c 50000000 /dev/zero | tr '\\0' a; echo seen >&2"]));
  const cut = `\n[${50_000_000 - MIB} bytes are not kept here]\n`;
  expect(result.stdout === "a".repeat(MIB / 2) + cut + "a".repeat(MIB / 2)).toBe(true);
  expect(result.outputDropped).toBe(50_000_000 - MIB);
  expect(result).toMatchObject({ exitCode: 0, stderr: "seen\n" });
});

test("nothing is on stdin, so nothing waits for it", async () => {
  const { request } = bench(cache);
  expect(await testInSandbox(request(["sh", "-c", "cat; echo end"]))).toMatchObject({ stdout: "end\n" });
});
