import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readdirSync, writeSync } from "node:fs";
import path from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeFifos, openFifo, openWholeFifo, removeFifos, takeFrom } from "../../src/system/fifo.js";
import { scratch } from "../support/scratch.js";

const NEVER = new AbortController().signal;

test("who inherits both ends of a pipe reads what is in it, although nobody else has it any more", async () => {
  const { dir } = scratch();
  const file = path.join(dir, "given");
  await makeFifos([file]);
  const whole = openWholeFifo(file);
  removeFifos([file]);
  expect(readdirSync(dir)).toEqual([]);
  writeSync(whole, "given");
  const reader = spawn("head", ["-c", "5", "/proc/self/fd/3"], { stdio: ["ignore", "pipe", "inherit", whole] });
  closeSync(whole);
  expect(await text(reader.stdout as Readable)).toBe("given");
});

test("more than a pipe holds is not waited for", async () => {
  const { dir } = scratch();
  const file = path.join(dir, "given");
  await makeFifos([file]);
  const whole = openWholeFifo(file);
  expect(writeSync(whole, Buffer.alloc(1 << 21))).toBeLessThan(1 << 21);
  closeSync(whole);
});

test("what lies in a pipe is taken in the end, although somebody else may still write", async () => {
  const { dir } = scratch();
  const file = path.join(dir, "out");
  await makeFifos([file]);
  const { reader, writer } = openFifo(file);
  let taken = "";
  const takeText = (chunk: Buffer) => {
    taken += chunk.toString();
    return undefined;
  };
  const end = takeFrom(reader, takeText, NEVER);
  const child = spawn("sh", ["-c", "echo one >&3; sleep 5 &"], { stdio: ["ignore", "ignore", "ignore", writer] });
  await once(child, "exit");
  writeSync(writer, "two\n");
  end();
  expect(taken).toBe("one\ntwo\n");
  closeSync(writer);
});

test("who takes slowly slows down whoever writes, and nothing is lost at the end", async () => {
  const { dir } = scratch();
  const file = path.join(dir, "out");
  await makeFifos([file]);
  const { reader, writer } = openFifo(file);
  let taken = 0;
  const end = takeFrom(
    reader,
    (chunk) => {
      taken += chunk.length;
      return new Promise(() => {});
    },
    NEVER,
  );
  const child = spawn("sh", ["-c", "head -c 2000000 /dev/zero >&3"], { stdio: ["ignore", "ignore", "ignore", writer] });
  closeSync(writer);
  await pause(300);
  expect(child.exitCode).toBeNull();
  expect(taken).toBeLessThan(1_000_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  const before = taken;
  end();
  // What it had written lies in the pipe, or was read already.
  expect(taken).toBeGreaterThan(before);
});

test("a pipe that cannot be made is told", async () => {
  await expect(makeFifos(["/nowhere/at/all"])).rejects.toThrow(/No such file/);
});
