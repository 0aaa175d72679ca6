import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { handOn } from "../../src/system/hand-on.js";

test("the next chunk waits until the one before is taken, however that ends", async () => {
  const source = new PassThrough();
  const taken: string[] = [];
  const done: (() => void)[] = [];
  handOn(source, (chunk) => {
    taken.push(String(chunk));
    return new Promise((resolve, reject) => done.push(taken.length === 1 ? resolve : reject));
  });
  for (const text of ["a", "b", "c"]) {
    source.write(text);
    await turn();
  }
  expect(taken).toEqual(["a"]);
  done[0]?.();
  await turn();
  expect(taken).toEqual(["a", "b"]);
  done[1]?.();
  await turn();
  expect(taken).toEqual(["a", "b", "c"]);
});

test("in a hurry nobody is waited for", async () => {
  const source = new PassThrough();
  const hurried = new AbortController();
  const taken: string[] = [];
  const take = (chunk: Buffer) => {
    taken.push(String(chunk));
    return new Promise<void>(() => {});
  };
  handOn(source, take, hurried.signal);
  source.write("a");
  await turn();
  source.write("b");
  await turn();
  expect(taken).toEqual(["a"]);
  hurried.abort();
  source.end("c");
  await turn();
  await turn();
  expect(taken.join("")).toBe("abc");
});
