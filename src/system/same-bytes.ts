import { fstatSync, readSync } from "node:fs";
import { withFile } from "./with-file.js";

/** Much of a file at a time: a large one is read in few steps. */
const CHUNK_BYTES = 2 ** 20;

/** Whether two files have the same bytes, but for ranges near their beginning (`[from, to)`) that are not looked at. */
export const haveSameBytes = (
  one: Buffer | string,
  other: Buffer | string,
  ignored: readonly (readonly [number, number])[] = [],
): boolean => withFile(one, (first) => withFile(other, (second) => areSame(first, second, ignored)));

function areSame(first: number, second: number, ignored: readonly (readonly [number, number])[]): boolean {
  const { size } = fstatSync(first);
  if (size !== fstatSync(second).size) return false;
  const [left, right] = [Buffer.alloc(CHUNK_BYTES), Buffer.alloc(CHUNK_BYTES)];
  const read = (descriptor: number, into: Buffer, at: number) => {
    const chunk = into.subarray(0, readSync(descriptor, into, 0, CHUNK_BYTES, at));
    if (at === 0) for (const [from, to] of ignored) into.fill(0, from, to);
    return chunk;
  };
  for (let at = 0; at < size; at += CHUNK_BYTES) {
    if (!read(first, left, at).equals(read(second, right, at))) return false;
  }
  return true;
}
