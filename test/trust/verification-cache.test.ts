import { readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { SignatureVerdict } from "../../src/trust/signature.js";
import { openVerificationCache } from "../../src/trust/verification-cache.js";
import { scratch } from "../support/scratch.js";

const [RING, OTHER_RING] = ["a".repeat(64), "b".repeat(64)];

const idOf = (number: number): string => number.toString(16).padStart(40, "0");

const GOOD: SignatureVerdict = {
  outcome: "good",
  format: "openpgp",
  key: "A".repeat(40),
  signer: "Zoë \n <zoe@example.com>",
  signedAt: new Date("2025-11-14T22:13:20Z"),
};

async function filled(count = 3) {
  const { dir } = scratch();
  const folder = path.join(dir, "kai", "cache");
  const cache = openVerificationCache(folder, RING);
  for (let number = 0; number < count; number++) cache.set(idOf(number), GOOD);
  await cache.flush();
  return { folder, file: path.join(folder, "signatures") };
}

test("what was found is known to the next run, under the same ring alone", async () => {
  const { folder } = await filled();
  expect(openVerificationCache(folder, RING).get(idOf(1))).toEqual(GOOD);
  expect(openVerificationCache(folder, RING).get(idOf(9))).toBeUndefined();
  expect(openVerificationCache(folder, OTHER_RING).get(idOf(1))).toBeUndefined();
});

test("two runs add to one file, and the later verdict counts", async () => {
  const { folder } = await filled();
  const [one, two] = [openVerificationCache(folder, RING), openVerificationCache(folder, RING)];
  one.set(idOf(10), GOOD);
  two.set(idOf(11), GOOD);
  two.set(idOf(0), { ...GOOD, outcome: "bad", reason: "changed" });
  await Promise.all([one.flush(), two.flush()]);
  const after = openVerificationCache(folder, RING);
  expect([0, 10, 11].map((number) => after.get(idOf(number))?.outcome)).toEqual(["bad", "good", "good"]);
});

test("what time could change is not kept; what another key could is, under the keys there were", async () => {
  const { folder } = await filled(0);
  const cache = openVerificationCache(folder, RING);
  cache.set(idOf(0), { outcome: "unknown-key", format: "openpgp" });
  cache.set(idOf(1), { outcome: "unsigned", format: "none" });
  cache.set(idOf(2), { ...GOOD, validUntil: new Date("2030-01-01") });
  await cache.flush();
  const after = openVerificationCache(folder, RING);
  expect([0, 1, 2].map((number) => after.outcome(idOf(number)))).toEqual(["unknown-key", "unsigned", undefined]);
  expect(after.get(idOf(0))).toEqual({ outcome: "unknown-key", format: "openpgp" });
  expect(openVerificationCache(folder, OTHER_RING).get(idOf(0))).toBeUndefined();
});

test("a file cut anywhere gives right answers or none", async () => {
  const { folder, file } = await filled();
  const whole = readFileSync(file);
  for (let length = 0; length < whole.length; length += 3) {
    writeFileSync(file, whole.subarray(0, length));
    const cache = openVerificationCache(folder, RING);
    for (const number of [0, 1, 2]) expect([undefined, GOOD]).toContainEqual(cache.get(idOf(number)));
  }
  writeFileSync(file, whole.subarray(0, -20));
  const cache = openVerificationCache(folder, RING);
  cache.set(idOf(7), GOOD);
  await cache.flush();
  expect(openVerificationCache(folder, RING).get(idOf(7))).toEqual(GOOD);
});

test("a flipped bit is never believed", async () => {
  const { folder, file } = await filled(1);
  const whole = readFileSync(file);
  for (let bit = 0; bit < whole.length * 8; bit += 5) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    writeFileSync(file, flipped);
    expect([undefined, GOOD]).toContainEqual(openVerificationCache(folder, RING).get(idOf(0)));
  }
});

test("what was found under rings that are gone does not pile up", async () => {
  const { folder, file } = await filled(1);
  const gone = openVerificationCache(folder, OTHER_RING);
  for (let number = 0; number < 40_000; number++) gone.set(idOf(number), GOOD);
  await gone.flush();
  const cache = openVerificationCache(folder, RING);
  cache.set(idOf(2), GOOD);
  await cache.flush();
  expect(statSync(file).size).toBeLessThan(1000);
  expect([0, 2].map((number) => openVerificationCache(folder, RING).get(idOf(number)))).toEqual([GOOD, GOOD]);
});

test("many small additions stay one readable file", async () => {
  const { folder } = await filled(0);
  const cache = openVerificationCache(folder, RING);
  for (let number = 0; number < 600; number++) {
    cache.set(idOf(number), GOOD);
    await cache.flush();
  }
  const after = openVerificationCache(folder, RING);
  for (let number = 0; number < 600; number++) expect(after.get(idOf(number))).toEqual(GOOD);
});
