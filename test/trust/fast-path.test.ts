import { createHash, type KeyObject, sign } from "node:crypto";
import fc from "fast-check";
import * as openpgp from "openpgp";
import { expect, test } from "vitest";
import { formatArmor, readArmor } from "../../src/trust/armor.js";
import { trailerOf } from "../../src/trust/ed25519-signature.js";
import { readKeyBlocks } from "../../src/trust/key-block.js";
import { lengthOf, mpi, packet, TAG } from "../../src/trust/packet.js";
import { ed25519SecretKey } from "../../src/trust/secret-key.js";
import { createKeyRing, type KeyRing, verifyFast, verifySignature } from "../../src/trust/signature.js";
import { gnupg } from "../support/gnupg.js";
import { AT, armoredSecret, testSigner } from "./signing.js";

// Whatever the fast path calls good, openpgp.js with its own defaults must call good too, and gpg in the samples.

const PAYLOAD = Buffer.from(
  "object 8f1\ntype commit\ntag v1.0.0\ntagger Ada <ada@example.com> 1700000000 +0000\n\nv1.0.0\n",
);

const SEED = 20251114;

interface Case {
  payload: Buffer;
  signature: Buffer;
  publicKey: Buffer;
}

const rings = new WeakMap<Buffer, KeyRing>();

function ringOf(publicKey: Buffer): KeyRing {
  const ring = rings.get(publicKey) ?? createKeyRing([{ name: "key", bytes: publicKey }]);
  rings.set(publicKey, ring);
  return ring;
}

const fastSaysGood = async ({ payload, signature, publicKey }: Case): Promise<boolean> =>
  (await verifyFast(payload, signature, ringOf(publicKey)))?.outcome === "good";

async function librarySaysGood({ payload, signature, publicKey }: Case): Promise<boolean> {
  try {
    const { signatures } = await openpgp.verify({
      message: await openpgp.createMessage({ binary: payload }),
      signature: await openpgp.readSignature({ armoredSignature: signature.toString("latin1") }),
      verificationKeys: await openpgp.readKeys({ binaryKeys: publicKey }),
    });
    return signatures.length === 1 && (await signatures[0]?.verified) === true;
  } catch {
    return false;
  }
}

/** Runs cases of `arbitrary`; gives those that the fast path took. */
async function acceptedOf(arbitrary: fc.Arbitrary<Case>, numRuns: number): Promise<Case[]> {
  const accepted: Case[] = [];
  await fc.assert(
    fc.asyncProperty(arbitrary, async (each) => {
      if (!(await fastSaysGood(each))) return;
      accepted.push(each);
      expect(await librarySaysGood(each)).toBe(true);
    }),
    { seed: SEED, numRuns, endOnFailure: true },
  );
  return accepted;
}

type Edit = { kind: "flip" | "set" | "insert" | "remove" | "double" | "swap"; at: number; value: number };

const edits = fc.array(
  fc.record<Edit>({
    kind: fc.constantFrom("flip", "set", "insert", "remove", "double", "swap"),
    at: fc.nat({ max: 1 << 20 }),
    value: fc.nat({ max: 255 }),
  }),
  { minLength: 1, maxLength: 3 },
);

function edit(bytes: Buffer, list: readonly Edit[]): Buffer {
  return list.reduce((before, { kind, at, value }) => {
    const index = at % Math.max(1, before.length);
    const [head, tail] = [before.subarray(0, index), before.subarray(index)];
    const first = tail[0] ?? 0;
    const changed = {
      flip: [head, [first ^ (1 << (value & 7))], tail.subarray(1)],
      set: [head, [value], tail.subarray(1)],
      insert: [head, [value], tail],
      remove: [head, tail.subarray(1 + (value & 3))],
      double: [head, tail.subarray(0, value), tail],
      swap: [tail, head],
    }[kind];
    return Buffer.concat(changed.map((part) => Buffer.from(part)));
  }, bytes);
}

async function original(): Promise<Case & { binary: Buffer; binaryKey: Buffer }> {
  const signer = await testSigner();
  const signature = Buffer.from(await signer.sign(PAYLOAD, AT));
  const binaryKey = readArmor(signer.publicKey, "foreign").bytes;
  const binary = readArmor(signature.toString(), "strict").bytes;
  return { payload: PAYLOAD, signature, publicKey: binaryKey, binary, binaryKey };
}

test("the unchanged signature is good to all", async () => {
  const whole = await original();
  expect(await fastSaysGood(whole)).toBe(true);
  expect(await librarySaysGood(whole)).toBe(true);
});

test("no change of the payload is taken", async () => {
  const whole = await original();
  const changed = edits.map((list) => ({ ...whole, payload: edit(PAYLOAD, list) }));
  const accepted = await acceptedOf(
    changed.filter(({ payload }) => !payload.equals(PAYLOAD)),
    1000,
  );
  expect(accepted).toHaveLength(0);
});

test("no change of the armor is taken that openpgp.js refuses", async () => {
  const whole = await original();
  await acceptedOf(
    edits.map((list) => ({ ...whole, signature: edit(whole.signature, list) })),
    3000,
  );
});

test("no change of the packet is taken that openpgp.js refuses", async () => {
  const whole = await original();
  await acceptedOf(
    edits.map((list) => ({
      ...whole,
      signature: Buffer.from(formatArmor("PGP SIGNATURE", edit(whole.binary, list))),
    })),
    3000,
  );
});

test("each single bit of the packet counts", async () => {
  const whole = await original();
  for (let bit = 0; bit < whole.binary.length * 8; bit++) {
    const binary = Buffer.from(whole.binary);
    binary[bit >> 3] = (binary[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const each = { ...whole, signature: Buffer.from(formatArmor("PGP SIGNATURE", binary)) };
    expect(await fastSaysGood(each), `bit ${bit}`).toBe(false);
    const keys = ringOf(whole.publicKey);
    const { outcome } = await verifySignature({ payload: PAYLOAD, signature: each.signature, keys, strict: true });
    expect(outcome, `bit ${bit}`).not.toBe("good");
  }
});

test("no change of the key is taken that openpgp.js refuses", async () => {
  const whole = await original();
  await acceptedOf(
    edits.map((list) => ({ ...whole, publicKey: edit(whole.binaryKey, list) })),
    3000,
  );
});

// Properly signed by the right key, but odd in what is signed: here the mathematics alone would say yes.

interface OddSubpacket {
  type: number;
  critical: boolean;
  body: Buffer;
}

interface Odd {
  version: number;
  type: number;
  hash: "sha1" | "sha256" | "sha384" | "sha512";
  hashed: OddSubpacket[];
  unhashed: OddSubpacket[];
  oldHeader: boolean;
}

const HASH_IDS = { sha1: 2, sha256: 8, sha384: 9, sha512: 10 };

function signOddly(odd: Odd, secret: KeyObject): Buffer {
  const area = (list: Odd["hashed"]) => {
    const packets = list.map(({ type, critical, body }) =>
      Buffer.concat([lengthOf(body.length + 1), Buffer.from([type | (critical ? 0x80 : 0)]), body]),
    );
    const bytes = Buffer.concat(packets);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  };
  const signedPart = Buffer.concat([Buffer.from([odd.version, odd.type, 22, HASH_IDS[odd.hash]]), area(odd.hashed)]);
  const digest = createHash(odd.hash).update(PAYLOAD).update(signedPart).update(trailerOf(signedPart)).digest();
  const raw = sign(null, digest, secret);
  const numbers = [mpi(raw.subarray(0, 32)), mpi(raw.subarray(32))];
  const body = Buffer.concat([signedPart, area(odd.unhashed), digest.subarray(0, 2), ...numbers]);
  const binary = odd.oldHeader ? Buffer.concat([Buffer.from([0x88, body.length]), body]) : packet(TAG.signature, body);
  return Buffer.from(formatArmor("PGP SIGNATURE", binary));
}

async function oddCases(): Promise<fc.Arbitrary<Case>> {
  const whole = await original();
  const [block] = readKeyBlocks(Buffer.from(await armoredSecret()));
  if (block === undefined) throw new Error("no key");
  const secret = ed25519SecretKey(block);
  const fingerprint = Buffer.from(block.primary.fingerprint, "hex");
  const uint32 = (value: number) => Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
  const now = AT.getTime() / 1000;
  const created = fc.constantFrom(now, now, now, 1, 1_735_689_599, 1_735_689_600).map((seconds) => ({
    type: 2,
    body: uint32(seconds),
  }));
  const issuer = fc.constantFrom(
    { type: 33, body: Buffer.concat([Buffer.from([4]), fingerprint]) },
    { type: 33, body: Buffer.concat([Buffer.from([4]), fingerprint]) },
    { type: 33, body: Buffer.concat([Buffer.from([5]), fingerprint]) },
    { type: 33, body: Buffer.concat([Buffer.from([4]), Buffer.alloc(20, 7)]) },
    { type: 16, body: fingerprint.subarray(-8) },
    { type: 16, body: Buffer.alloc(8, 7) },
  );
  const notation = Buffer.concat([Buffer.from([0x80, 0, 0, 0, 0, 3, 0, 1]), Buffer.from("a@bx")]);
  const other = fc.constantFrom(
    { type: 3, body: uint32(60) },
    { type: 3, body: uint32(0) },
    { type: 9, body: uint32(60) },
    { type: 12, body: Buffer.concat([Buffer.from([0x80, 22]), fingerprint]) },
    { type: 20, body: notation },
    { type: 27, body: Buffer.from([0]) },
    { type: 28, body: Buffer.from("eve@example.com") },
    { type: 32, body: Buffer.from([4, 0x18]) },
    { type: 99, body: Buffer.from("x") },
    { type: 0, body: Buffer.alloc(0) },
  );
  const critical = (part: fc.Arbitrary<{ type: number; body: Buffer }>): fc.Arbitrary<OddSubpacket> =>
    fc.tuple(part, fc.boolean()).map(([rest, flag]) => ({ ...rest, critical: flag }));
  const none = fc.constant<OddSubpacket[]>([]);
  const extra = fc.array(critical(fc.oneof(issuer, other, created)), { maxLength: 2 });
  return fc
    .record<Odd>({
      version: fc.constantFrom(4, 4, 4, 4, 3, 5, 6),
      type: fc.constantFrom(0, 0, 0, 0, 1, 2, 0x10, 0x40),
      hash: fc.constantFrom("sha512", "sha512", "sha256", "sha384", "sha1"),
      hashed: fc
        .tuple(critical(created), critical(issuer), fc.oneof(none, extra), fc.boolean())
        .map(([first, second, more, turned]) => (turned ? [...more, second, first] : [first, second, ...more])),
      unhashed: fc.oneof(none, extra),
      oldHeader: fc.boolean(),
    })
    .map((odd) => ({ ...whole, signature: signOddly(odd, secret) }));
}

test("of odd signatures by the right key, none is taken that openpgp.js or gpg refuses", async () => {
  const accepted = await acceptedOf(await oddCases(), 3000);
  expect(accepted.length).toBeGreaterThan(50);
  const pg = gnupg();
  pg.gpg(["--import"], (await testSigner()).publicKey);
  for (const { payload, signature } of accepted.slice(0, 40)) expect(pg.verify(payload, signature).ok).toBe(true);
});

test("where openpgp.js judges, it is asked for no more than it would grant itself", async () => {
  const cases = fc.sample(await oddCases(), { seed: SEED + 1, numRuns: 400 });
  for (const each of cases) {
    const keys = ringOf(each.publicKey);
    const { outcome } = await verifySignature({ ...each, keys, strict: false });
    if (outcome === "good") expect(await librarySaysGood(each)).toBe(true);
  }
});

test("no bytes at all make it throw", async () => {
  const whole = await original();
  const keys = ringOf(whole.publicKey);
  const signatures = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(formatArmor("PGP SIGNATURE", Buffer.from(bytes)))),
    edits.map((list) => Buffer.from(formatArmor("PGP SIGNATURE", edit(whole.binary, list)))),
  );
  await fc.assert(
    fc.asyncProperty(signatures, fc.boolean(), async (signature, strict) => {
      expect(await verifySignature({ payload: PAYLOAD, signature, keys, strict })).toHaveProperty("outcome");
    }),
    { seed: SEED, numRuns: 600 },
  );
  await fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), edits, (bytes, list) => {
      const files = [Buffer.from(bytes), edit(whole.binaryKey, list)].map((each) => ({ name: "key", bytes: each }));
      expect(createKeyRing(files).keys.length).toBeLessThanOrEqual(20);
    }),
    { seed: SEED, numRuns: 600 },
  );
});
