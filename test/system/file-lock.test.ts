import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { lockFile } from "../../src/system/file-lock.js";
import { scratch } from "../support/scratch.js";

const AT_ONCE = 10;

test("who waits in vain is told who holds the lock", async () => {
  const { dir, env } = scratch();
  const file = path.join(dir, "lock");
  const lock = await lockFile(file, { holder: "create", waitMs: AT_ONCE }, env);
  await expect(lockFile(file, { holder: "rollback", waitMs: AT_ONCE }, env)).rejects.toThrow(
    `Another operation is under way: create (process ${process.pid}).`,
  );
  await lock.release();
  await (await lockFile(file, { holder: "rollback", waitMs: AT_ONCE }, env)).release();
});

test.runIf(process.getuid?.() === 0)(
  "a full disk, on which nobody can be told who holds it, locks nobody out",
  async () => {
    const { dir, env } = scratch();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "kai-test", dir]);
    onTestFinished(() => void execFileSync("umount", ["--lazy", dir]));
    expect(() => writeFileSync(path.join(dir, "full"), Buffer.alloc(128 * 1024))).toThrow("ENOSPC");
    const file = path.join(dir, "lock");
    const lock = await lockFile(file, { holder: "destroy", waitMs: AT_ONCE }, env);
    await expect(lockFile(file, { holder: "save", waitMs: AT_ONCE }, env)).rejects.toThrow("under way");
    await lock.release();
  },
);

test("who waits is interrupted at once, and the lock stays whose it is", async () => {
  const { dir, env } = scratch();
  const file = path.join(dir, "lock");
  const lock = await lockFile(file, { holder: "create", waitMs: AT_ONCE }, env);
  const interruption = new AbortController();
  const waiting = lockFile(file, { holder: "rollback", waitMs: 600_000, interrupted: interruption.signal }, env);
  interruption.abort(new Error("Interrupted by SIGINT."));
  await expect(waiting).rejects.toThrow("Interrupted by SIGINT.");
  await expect(lockFile(file, { holder: "undo", waitMs: AT_ONCE }, env)).rejects.toThrow("create");
  await lock.release();
});

test("a holder whose number is another process's by now, or that ran before this boot, is not said to be alive", async () => {
  const { dir, env } = scratch();
  const file = path.join(dir, "lock");
  const lock = await lockFile(file, { holder: "create", waitMs: AT_ONCE }, env);
  const [holder = "", identity = ""] = readFileSync(file, "utf8").split("\n");
  const [boot, id, start] = identity.split(":");
  expect([boot, Number(id)]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), process.pid]);
  for (const other of [`${boot}:${id}:${Number(start) - 1}`, `00000000-0000-0000-0000-000000000000:${id}:${start}`]) {
    writeFileSync(file, `${holder}\n${other}\n`);
    await expect(lockFile(file, { holder: "rollback", waitMs: AT_ONCE }, env)).rejects.toThrow("which has ended");
  }
  await lock.release();
});
