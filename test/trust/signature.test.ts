import { readFileSync } from "node:fs";
import path from "node:path";
import * as openpgp from "openpgp";
import { expect, test } from "vitest";
import { createKeyRing, type KeyRing, verifyFast, verifySignature } from "../../src/trust/signature.js";
import { gnupg } from "../support/gnupg.js";
import { sshSigner, x509Signer } from "../support/other-signers.js";
import { scratch } from "../support/scratch.js";
import { ADA, AT, armoredSecret, signerFrom, testSigner } from "./signing.js";

const PAYLOAD = Buffer.from(
  "object 8f1\ntype commit\ntag v1.0.0\ntagger Ada <ada@example.com> 1700000000 +0000\n\nv1.0.0\n",
);

const ringOf = (...keys: (string | Buffer)[]): KeyRing =>
  createKeyRing(keys.map((bytes, index) => ({ name: `key ${index}`, bytes: Buffer.from(bytes) })));

const judge = (
  signature: Buffer | string,
  keys: KeyRing,
  options: { payload?: Buffer; strict?: boolean; now?: Date } = {},
) => verifySignature({ payload: PAYLOAD, signature: Buffer.from(signature), keys, strict: false, ...options });

const packetOf = (armored: string): Buffer => Buffer.from(armored.split("\n\n")[1]?.split("\n=")[0] ?? "", "base64");

test("what we sign is good to the fast path, to openpgp.js and to gpg", async () => {
  const signer = await testSigner();
  const keys = ringOf(signer.publicKey);
  const pg = gnupg();
  pg.gpg(["--import"], signer.publicKey);
  const publicKey = await openpgp.readKey({ armoredKey: signer.publicKey });
  for (const payload of [PAYLOAD, Buffer.alloc(0), Buffer.from([0, 255, 13, 10, 0]), Buffer.alloc(200_000, "é\r\n")]) {
    const signature = await signer.sign(payload, AT);
    expect(signature).toMatch(/^-----BEGIN PGP SIGNATURE-----\n\n[^\r:]*-----END PGP SIGNATURE-----\n$/);
    expect(await verifyFast(payload, Buffer.from(signature), keys)).toEqual({
      outcome: "good",
      format: "openpgp",
      key: signer.fingerprint,
      signer: ADA,
      signedAt: AT,
    });
    const { signatures } = await openpgp.verify({
      message: await openpgp.createMessage({ binary: payload }),
      signature: await openpgp.readSignature({ armoredSignature: signature }),
      verificationKeys: publicKey,
    });
    expect(await signatures[0]?.verified).toBe(true);
    const { ok, status } = pg.verify(payload, signature);
    expect(ok).toBe(true);
    expect(status).toContain(`VALIDSIG ${signer.fingerprint}`);
  }
});

test("signatures whose numbers begin with zeros are good everywhere", async () => {
  const signer = await testSigner();
  const keys = ringOf(signer.publicKey);
  const pg = gnupg();
  pg.gpg(["--import"], signer.publicKey);
  let shorter = 0;
  for (let count = 0; shorter < 3; count++) {
    const payload = Buffer.from(`payload ${count}`);
    const signature = await signer.sign(payload, AT);
    expect((await verifyFast(payload, Buffer.from(signature), keys))?.outcome).toBe("good");
    // Two numbers of 32 bytes make a packet of 127 bytes; a byte of zeros in front of one is left out.
    if (packetOf(signature).length === 127) continue;
    shorter++;
    expect(pg.verify(payload, signature).ok).toBe(true);
  }
});

test("a changed payload or another key's signature is bad", async () => {
  const signer = await testSigner();
  const keys = ringOf(signer.publicKey);
  const signature = await signer.sign(PAYLOAD, AT);
  expect(await judge(signature, keys, { payload: Buffer.concat([PAYLOAD, Buffer.from("\n")]) })).toMatchObject({
    outcome: "bad",
    reason: "the signature does not match what it signs",
  });
  expect(await judge(signature, ringOf())).toMatchObject({ outcome: "unknown-key", key: signer.fingerprint });
});

test("gpg's own Ed25519 signatures need no openpgp.js and are strict enough", async () => {
  const pg = gnupg();
  const key = pg.generate("Grace <grace@example.com>", "ed25519");
  const signature = pg.sign(PAYLOAD, key);
  const keys = ringOf(pg.export(key));
  expect(await verifyFast(PAYLOAD, signature, keys)).toMatchObject({
    outcome: "good",
    key,
    signer: "Grace <grace@example.com>",
  });
  expect((await judge(signature, keys, { strict: true })).outcome).toBe("good");
  const weakDigest = pg.sign(PAYLOAD, key, ["--digest-algo", "SHA256"]);
  expect((await judge(weakDigest, keys)).outcome).toBe("good");
});

test("old gpg signatures get an outcome and a reason, good or bad", async () => {
  const pg = gnupg();
  const rsa = pg.generate("Rita <rita@example.com>", "rsa2048");
  const short = pg.generate("Sam <sam@example.com>", "rsa1024");
  const dsa = pg.generate("Dora <dora@example.com>", "dsa1024");
  const keys = ringOf(pg.export(rsa), pg.export(short), pg.export(dsa));
  const weakly = ["--allow-weak-digest-algos", "--digest-algo"];
  const cases: [Buffer, string, string | undefined][] = [
    [pg.sign(PAYLOAD, rsa), "good", undefined],
    [pg.sign(PAYLOAD, rsa, [...weakly, "SHA1"]), "weak", "its digest is SHA-1"],
    [pg.sign(PAYLOAD, rsa, [...weakly, "MD5"]), "weak", "its digest is MD5"],
    [pg.sign(PAYLOAD, short), "weak", "it is by an RSA key of 1024 bits"],
    [pg.sign(PAYLOAD, dsa, [...weakly, "SHA1"]), "weak", "its digest is SHA-1"],
    [pg.sign(PAYLOAD, dsa, ["--digest-algo", "SHA256"]), "weak", "it is by a DSA key"],
  ];
  for (const [signature, outcome, reason] of cases) {
    expect(await judge(signature, keys)).toMatchObject({ outcome, ...(reason && { reason }) });
    expect((await judge(signature, keys, { payload: Buffer.from("other") })).outcome).toBe("bad");
    expect((await judge(signature, ringOf())).outcome).toBe("unknown-key");
  }
});

test("an expired key's signature counts by when it was made", async () => {
  const pg = gnupg();
  const key = pg.generate("Eve <eve@example.com>", "ed25519", { at: "20200101T000000", expire: "30d" });
  const signature = pg.sign(PAYLOAD, key, ["--faked-system-time", "20200105T000000"]);
  const keys = ringOf(pg.export(key));
  expect(await judge(signature, keys)).toMatchObject({ outcome: "expired-key-valid-then", key });
  expect(await judge(signature, keys, { now: new Date("2020-01-06") })).toMatchObject({
    outcome: "good",
    validUntil: new Date("2020-01-31T00:00:00Z"),
  });
});

test("a signature made before its key was or after it had ended does not count", async () => {
  const pg = gnupg();
  const key = pg.generate("Eve <eve@example.com>", "ed25519", { at: "20200101T000000" });
  const signer = await signerFrom(pg.gpg(["--armor", "--export-secret-keys", key]));
  pg.gpg(["--faked-system-time", "20200102T000000", "--quick-set-expire", key, "30d"]);
  const keys = ringOf(pg.export(key));
  expect(await judge(await signer.sign(PAYLOAD, AT), keys)).toMatchObject({ outcome: "expired", key });
  const early = await signer.sign(PAYLOAD, new Date("2019-12-01"));
  expect(await judge(early, keys)).toMatchObject({ outcome: "bad", reason: "the signature is older than its key" });
  await expect(signerFrom(pg.gpg(["--armor", "--export-secret-keys", key]))).rejects.toMatchObject({ code: "E110" });
});

test("a signature with an end of its own expires", async () => {
  const pg = gnupg();
  const key = pg.generate("Eve <eve@example.com>", "ed25519", { at: "20200101T000000" });
  const signature = pg.sign(PAYLOAD, key, ["--faked-system-time", "20200105T000000", "--default-sig-expire", "10d"]);
  const keys = ringOf(pg.export(key));
  expect(await judge(signature, keys)).toMatchObject({ outcome: "expired" });
  expect(await judge(signature, keys, { now: new Date("2020-01-06") })).toMatchObject({ outcome: "good" });
});

test("a revoked key's signature is told, also where another copy of the key hides it", async () => {
  const pg = gnupg();
  const key = pg.generate("Rob <rob@example.com>", "ed25519");
  const signature = pg.sign(PAYLOAD, key);
  const before = pg.export(key);
  const certificate = readFileSync(path.join(pg.home, "openpgp-revocs.d", `${key}.rev`), "utf8");
  pg.gpg(["--import"], certificate.replace(":-----BEGIN", "-----BEGIN"));
  const after = pg.export(key);
  expect(await judge(signature, ringOf(before))).toMatchObject({ outcome: "good" });
  expect(await judge(signature, ringOf(after))).toMatchObject({ outcome: "revoked-key", key });
  expect(await judge(signature, ringOf(before, after))).toMatchObject({ outcome: "revoked-key" });
  expect(await judge(signature, ringOf(after, before))).toMatchObject({ outcome: "revoked-key" });
});

test("a signing subkey speaks for its primary key", async () => {
  const pg = gnupg();
  pg.gpg(["--quick-generate-key", "Sue <sue@example.com>", "ed25519", "cert", "never"]);
  const colons = pg.gpg(["--with-colons", "--list-secret-keys"]).toString();
  const primary = /^fpr:+([0-9A-F]{40}):/m.exec(colons)?.[1] ?? "";
  pg.gpg(["--quick-add-key", primary, "ed25519", "sign", "never"]);
  expect(await judge(pg.sign(PAYLOAD, primary), ringOf(pg.export(primary)))).toMatchObject({
    outcome: "good",
    key: primary,
    signer: "Sue <sue@example.com>",
  });
});

test("openpgp.js's signatures are read, with its notations and by its newer keys", async () => {
  for (const type of ["ecc", "curve25519", "rsa"] as const) {
    const { privateKey } = await openpgp.generateKey({
      type,
      ...(type === "rsa" ? { rsaBits: 2048 } : {}),
      userIDs: [{ name: "Olga", email: "olga@example.com" }],
      format: "object",
    });
    const signature = await openpgp.sign({
      message: await openpgp.createMessage({ binary: PAYLOAD }),
      signingKeys: privateKey,
      detached: true,
    });
    const keys = ringOf(privateKey.toPublic().armor());
    expect(await verifyFast(PAYLOAD, Buffer.from(signature), keys)).toBeUndefined();
    expect(await judge(signature, keys)).toMatchObject({ outcome: "good", signer: "Olga <olga@example.com>" });
    expect((await judge(signature, keys, { payload: Buffer.from("x") })).outcome).toBe("bad");
  }
});

test("SSH and X.509 signatures are told apart from OpenPGP and from nothing at all", async () => {
  const outcomes = [
    await judge(sshSigner(scratch().dir).sign(PAYLOAD), ringOf()),
    await judge(x509Signer().sign(PAYLOAD), ringOf()),
    await judge("-----BEGIN PGP MESSAGE-----\n\nwg==\n-----END PGP MESSAGE-----\n", ringOf()),
    await judge("signed, Ada\n", ringOf()),
    await judge("", ringOf()),
  ];
  expect(outcomes.map(({ outcome, format }) => `${outcome} ${format}`)).toEqual([
    "unsupported-format ssh",
    "unsupported-format x509",
    "unsupported-format openpgp",
    "unsupported-format unknown",
    "unsigned none",
  ]);
});

test("a text-mode signature is refused, because it does not cover line ends", async () => {
  const pg = gnupg();
  const key = pg.generate("Tom <tom@example.com>", "ed25519");
  const signature = pg.sign(PAYLOAD, key, ["--textmode"]);
  const changed = Buffer.from(PAYLOAD.toString().replaceAll("\n", "\r\n"));
  expect(pg.verify(changed, signature).ok).toBe(true);
  for (const payload of [PAYLOAD, changed]) {
    for (const strict of [true, false]) {
      const verdict = await judge(signature, ringOf(pg.export(key)), { payload, strict });
      expect(verdict).toMatchObject({ outcome: "unsupported-format", reason: expect.stringContaining("binary") });
    }
  }
});

test("strict reading takes one plain armor block and nothing else", async () => {
  const signer = await testSigner();
  const keys = ringOf(signer.publicKey);
  const signature = await signer.sign(PAYLOAD, AT);
  const packet = packetOf(signature);
  const rearmor = (bytes: Buffer) =>
    signature.replace(/\n\n[\s\S]*\n=/, `\n\n${bytes.toString("base64").replace(/.{64}/g, "$&\n").trim()}\n=`);
  const variants: Record<string, [string | Buffer, boolean]> = {
    "trailing text": [`${signature}and more\n`, false],
    "a second newline": [`${signature}\n`, true],
    "a NUL behind": [`${signature}\0`, false],
    "bytes that are no UTF-8 behind": [Buffer.concat([Buffer.from(signature), Buffer.from([0xff, 0xfe])]), false],
    "a version header": [signature.replace("\n\n", "\nVersion: GnuPG v2\n\n"), true],
    CRLF: [signature.replaceAll("\n", "\r\n"), true],
    "blanks at line ends": [signature.replaceAll("\n", " \n"), true],
    "the block twice": [signature + signature, false],
    "the packet twice": [rearmor(Buffer.concat([packet, packet])).replace(/\n=....\n/, "\n"), false],
    "a wrong checksum": [signature.replace(/\n=..../, "\n=AAAA"), false],
    "text in front": [` ${signature}`, false],
    "cut short": [signature.slice(0, -40), false],
    "an empty block": ["-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", false],
    "another end line": [signature.replace("END PGP SIGNATURE", "END PGP MESSAGE"), false],
  };
  for (const [what, [variant, foreignTakesIt]] of Object.entries(variants)) {
    expect((await judge(variant, keys, { strict: true })).outcome, what).not.toBe("good");
    expect((await judge(variant, keys)).outcome === "good", what).toBe(foreignTakesIt);
    expect(await verifyFast(PAYLOAD, Buffer.from(variant), keys), what).toBeUndefined();
  }
});

test("files that hold no key are problems of the ring, not errors", async () => {
  const signer = await testSigner();
  const keys = ringOf("nonsense", "", signer.publicKey.slice(0, 120), signer.publicKey, Buffer.from([0x99, 0, 9, 4]));
  expect(keys.keys.map(({ fingerprint }) => fingerprint)).toEqual([signer.fingerprint]);
  expect(keys.problems).toHaveLength(4);
});

test("a secret key in the ring verifies and stays out of it", async () => {
  const signer = await testSigner();
  const keys = ringOf(await armoredSecret());
  expect((await judge(await signer.sign(PAYLOAD, AT), keys)).outcome).toBe("good");
  expect(keys.digest).toBe(ringOf(signer.publicKey).digest);
});
