import { expect, test } from "vitest";
import { binaryKey, readKeyBlocks } from "../../src/trust/key-block.js";
import { generateKey, readKnownKeys } from "../../src/trust/key-store.js";
import { MalformedError } from "../../src/trust/packet.js";
import { simpleKeyOf } from "../../src/trust/simple-key.js";
import { scratch } from "../support/scratch.js";

async function newKey(): Promise<Buffer> {
  const home = scratch().dir;
  await generateKey({ home, name: "Ada", email: "ada@example.com", at: new Date("2025-01-01T00:00:00Z") });
  const [file] = await readKnownKeys(home);
  const [block] = readKeyBlocks(file?.bytes ?? Buffer.alloc(0));
  if (block === undefined) throw new Error("no key was made");
  return binaryKey(block);
}

const isSimple = (key: Buffer): boolean => {
  try {
    const [block, ...others] = readKeyBlocks(key);
    return block !== undefined && others.length === 0 && simpleKeyOf(block) !== undefined;
  } catch (cause) {
    if (cause instanceof MalformedError) return false;
    throw cause;
  }
};

test("a key of ours is simple, its subkey for encryption too, and with any signed byte of it changed it is not", async () => {
  const key = await newKey();
  const [block] = readKeyBlocks(key);
  expect(block?.packets).toHaveLength(5);
  expect(isSimple(key)).toBe(true);
  const unsigned: number[] = [];
  for (let at = 0; at < key.length; at++) {
    const changed = Buffer.from(key);
    changed.writeUInt8((changed[at] ?? 0) ^ 1, at);
    if (isSimple(changed)) unsigned.push(at);
  }
  expect(unsigned).toEqual([]);
});

test("with two subkeys, a part of one, or none of its word for it, it is left to the library", async () => {
  const [block] = readKeyBlocks(await newKey());
  const raw = block?.packets.map((packet) => packet.raw) ?? [];
  const first = raw.slice(0, 3);
  const [subkey = Buffer.alloc(0), binding = Buffer.alloc(0)] = raw.slice(3);
  expect(isSimple(Buffer.concat(first))).toBe(true);
  for (const more of [
    [subkey],
    [binding],
    [binding, subkey],
    [subkey, binding, subkey, binding],
    [subkey, first[2] ?? subkey],
  ]) {
    expect(isSimple(Buffer.concat([...first, ...more]))).toBe(false);
  }
});
