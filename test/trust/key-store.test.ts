import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { exportKey, generateKey, importKey, kaiHome, listKeys, readKnownKeys } from "../../src/trust/key-store.js";
import { createKeyRing, verifyFast } from "../../src/trust/signature.js";
import { openSigner } from "../../src/trust/signer.js";
import { gnupg } from "../support/gnupg.js";
import { scratch } from "../support/scratch.js";
import { AT, armoredSecret, testSigner } from "./signing.js";

const ADA = { name: "Ada Agent", email: "ada@example.com", at: new Date("2025-01-01T00:00:00Z") };

function store(): { home: string; env: NodeJS.ProcessEnv } {
  const { dir } = scratch();
  return { home: path.join(dir, "kai"), env: {} };
}

test("keys live in KAI_HOME, else in the XDG folder, else under HOME", () => {
  expect(kaiHome({ KAI_HOME: "/k", XDG_DATA_HOME: "/x", HOME: "/h" })).toBe("/k");
  expect(kaiHome({ XDG_DATA_HOME: "/x", HOME: "/h" })).toBe("/x/git-kai-version");
  expect(kaiHome({ XDG_DATA_HOME: "x", HOME: "/h" })).toBe("/h/.local/share/git-kai-version");
});

test("a new key is the user's alone, the default, and signs", async () => {
  const { home, env } = store();
  expect(await listKeys(home)).toEqual([]);
  const key = await generateKey({ home, ...ADA });
  expect(key).toEqual({
    fingerprint: expect.stringMatching(/^[0-9A-F]{40}$/),
    owner: "Ada Agent <ada@example.com>",
    status: "default",
  });
  const file = path.join(home, "keys", `${key.fingerprint}.asc`);
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  expect((statSync(path.dirname(file)).mode & 0o777).toString(8)).toBe("700");
  expect(readdirSync(path.dirname(file)).sort()).toEqual([`${key.fingerprint}.asc`, "default"]);
  const signer = await openSigner({ home, env });
  expect(signer).toMatchObject({ fingerprint: key.fingerprint, name: "Ada Agent", email: "ada@example.com" });
  const keys = createKeyRing(await readKnownKeys(home));
  expect(
    (await verifyFast(Buffer.from("x"), Buffer.from(await signer.sign(Buffer.from("x"), AT)), keys))?.outcome,
  ).toBe("good");
});

test("a second key waits until it is named or made the default", async () => {
  const { home, env } = store();
  const first = await generateKey({ home, ...ADA });
  const second = await generateKey({ home, ...ADA, name: "Second" });
  expect(second.status).toBe("local");
  expect((await openSigner({ home, env })).fingerprint).toBe(first.fingerprint);
  expect((await openSigner({ home, env, fingerprint: second.fingerprint })).name).toBe("Second");
  const third = await generateKey({ home, ...ADA, name: "Third", makeDefault: true });
  expect((await openSigner({ home, env })).fingerprint).toBe(third.fingerprint);
  expect((await listKeys(home)).filter(({ status }) => status === "default")).toHaveLength(1);
});

test("a passphrase locks the key: from the environment, or asked for three times", async () => {
  const { home, env } = store();
  const { fingerprint } = await generateKey({ home, ...ADA, passphrase: "right – ünd" });
  await expect(openSigner({ home, env })).rejects.toMatchObject({
    code: "E111",
    hint: expect.stringContaining("KAI_KEY_PASSPHRASE"),
  });
  await expect(openSigner({ home, env: { KAI_KEY_PASSPHRASE: "wrong" } })).rejects.toMatchObject({ code: "E111" });
  expect((await openSigner({ home, env: { KAI_KEY_PASSPHRASE: "right – ünd" } })).fingerprint).toBe(fingerprint);
  const answers = ["wrong", "again wrong", "right – ünd"];
  const asked: string[] = [];
  const askPassphrase = async (key: string) => answers[asked.push(key) - 1] ?? "";
  const signer = await openSigner({ home, env, askPassphrase });
  expect(asked).toEqual([fingerprint, fingerprint, fingerprint]);
  const keys = createKeyRing(await readKnownKeys(home));
  expect(
    (await verifyFast(Buffer.from("x"), Buffer.from(await signer.sign(Buffer.from("x"), AT)), keys))?.outcome,
  ).toBe("good");
  let tries = 0;
  const never = async () => `wrong ${tries++}`;
  await expect(openSigner({ home, env, askPassphrase: never })).rejects.toMatchObject({ code: "E111" });
  expect(tries).toBe(3);
});

test("without a key, or with junk for one, it is said what to do", async () => {
  const { home } = store();
  const cases: [NodeJS.ProcessEnv, string][] = [
    [{}, "There is no key to sign with."],
    [{ KAI_SIGNING_KEY: "junk" }, "KAI_SIGNING_KEY could not be read"],
    [{ KAI_SIGNING_KEY: (await testSigner()).publicKey }, "it is not one secret key"],
  ];
  for (const [env, message] of cases) {
    await expect(openSigner({ home, env })).rejects.toMatchObject({
      code: "E110",
      message: expect.stringContaining(message),
      hint: expect.stringContaining("key"),
    });
  }
});

test("a key that leaves signing to a subkey is not one to sign versions with", async () => {
  const { home } = store();
  const pg = gnupg();
  pg.gpg(["--quick-generate-key", "Sue <sue@example.com>", "ed25519", "cert", "never"]);
  const env = { KAI_SIGNING_KEY: pg.gpg(["--armor", "--export-secret-keys"]).toString() };
  await expect(openSigner({ home, env })).rejects.toMatchObject({
    code: "E110",
    message: expect.stringContaining("cannot sign"),
  });
});

test("a secret key that others can read is refused with the command that mends it", async () => {
  const { home, env } = store();
  const { fingerprint } = await generateKey({ home, ...ADA });
  const file = path.join(home, "keys", `${fingerprint}.asc`);
  chmodSync(file, 0o640);
  await expect(openSigner({ home, env })).rejects.toMatchObject({ code: "E110", hint: `chmod 600 '${file}'` });
  await expect(exportKey(home, undefined, { secret: true })).rejects.toMatchObject({ code: "E110" });
  chmodSync(file, 0o600);
  expect((await openSigner({ home, env })).fingerprint).toBe(fingerprint);
});

test("a damaged key file is named", async () => {
  const { home, env } = store();
  const { fingerprint } = await generateKey({ home, ...ADA });
  const file = path.join(home, "keys", `${fingerprint}.asc`);
  writeFileSync(file, readFileSync(file).subarray(0, 100));
  await expect(openSigner({ home, env })).rejects.toMatchObject({
    code: "E123",
    message: expect.stringContaining(file),
  });
});

test("exported keys come in again: secret ones to sign with, public ones as known", async () => {
  const { home } = store();
  const { fingerprint } = await generateKey({ home, ...ADA, passphrase: "p" });
  const secret = await exportKey(home, undefined, { secret: true });
  const open = await exportKey(home, fingerprint.toLowerCase().replace(/(.{4})/g, "$1 "));
  expect(open.armored).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n/);
  expect(open.armored).not.toContain("PRIVATE");
  const [colleague, machine] = [store(), store()];
  expect(await importKey(colleague.home, Buffer.from(open.armored))).toMatchObject([{ fingerprint, status: "known" }]);
  expect((await listKeys(colleague.home)).map(({ status }) => status)).toEqual(["known"]);
  await expect(openSigner(colleague)).rejects.toMatchObject({ code: "E110" });
  await expect(exportKey(colleague.home, fingerprint, { secret: true })).rejects.toMatchObject({ code: "E110" });
  expect(await importKey(machine.home, Buffer.from(secret.armored))).toMatchObject([
    { fingerprint, status: "default" },
  ]);
  expect((await openSigner({ ...machine, env: { KAI_KEY_PASSPHRASE: "p" } })).fingerprint).toBe(fingerprint);
  expect(
    (await openSigner({ ...colleague, env: { KAI_SIGNING_KEY: secret.armored, KAI_KEY_PASSPHRASE: "p" } })).fingerprint,
  ).toBe(fingerprint);
});

test("gpg's keys are imported: binary or armored, several at once, old kinds to verify with", async () => {
  const { home, env } = store();
  const pg = gnupg();
  const grace = pg.generate("Grace <grace@example.com>", "ed25519");
  const rita = pg.generate("Rita <rita@example.com>", "rsa1024");
  const dora = pg.generate("Dora <dora@example.com>", "dsa1024");
  expect(await importKey(home, pg.gpg(["--export"]))).toHaveLength(3);
  expect((await listKeys(home)).map(({ fingerprint }) => fingerprint).sort()).toEqual([grace, rita, dora].sort());
  const text = Buffer.concat([Buffer.from("From: me\n\n"), pg.export(grace), Buffer.from("\nand\n"), pg.export(rita)]);
  expect(await importKey(store().home, text)).toHaveLength(2);
  const secret = pg.gpg(["--armor", "--export-secret-keys", grace]);
  expect(await importKey(home, secret)).toMatchObject([{ fingerprint: grace, status: "default" }]);
  expect((await openSigner({ home, env })).name).toBe("Grace");
  await expect(importKey(home, pg.gpg(["--export-secret-keys", rita]))).rejects.toMatchObject({
    code: "E123",
    message: expect.stringContaining("not an Ed25519 key"),
  });
});

test("gpg takes our secret key and signs with it", async () => {
  const pg = gnupg();
  pg.gpg(["--import"], await armoredSecret());
  const signer = await testSigner();
  const keys = createKeyRing([{ name: "key", bytes: Buffer.from(signer.publicKey) }]);
  expect((await verifyFast(Buffer.from("x"), pg.sign(Buffer.from("x"), signer.fingerprint), keys))?.outcome).toBe(
    "good",
  );
});

test("an older copy of a key does not undo its revocation", async () => {
  const { home } = store();
  const pg = gnupg();
  const key = pg.generate("Rob <rob@example.com>", "ed25519");
  const before = pg.export(key);
  const certificate = readFileSync(path.join(pg.home, "openpgp-revocs.d", `${key}.rev`), "utf8");
  pg.gpg(["--import"], certificate.replace(":-----BEGIN", "-----BEGIN"));
  await importKey(home, pg.export(key));
  await importKey(home, before);
  pg.gpg(["--delete-secret-and-public-key", key]);
  pg.gpg(["--import"], (await exportKey(home, key)).armored);
  expect(pg.gpg(["--with-colons", "--list-keys", key]).toString()).toMatch(/^pub:r:/m);
});

test("junk is refused with the reason, and nothing of it is kept", async () => {
  const { home } = store();
  const armored = (await testSigner()).publicKey;
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), "it is empty"],
    [Buffer.from("hello"), "no OpenPGP key"],
    [Buffer.from("ssh-ed25519 AAAA ada"), "no OpenPGP key"],
    [Buffer.from(armored.slice(0, -60)), "cut short"],
    [Buffer.from(armored.replace(/\n=..../, "\n=AAAA")), "checksum"],
    [Buffer.from([0x99, 0x01, 0x00, 0x04]), "cut short"],
    [Buffer.from(`${armored}${armored.replace(/[a-z]/, "")}`), "damaged"],
    [Buffer.alloc(5 << 20, 0x99), "too large"],
    [Buffer.from(await (await testSigner()).sign(Buffer.from("x"), AT)), "no OpenPGP key"],
  ];
  for (const [file, reason] of cases) {
    await expect(importKey(home, file)).rejects.toMatchObject({
      code: "E123",
      message: expect.stringContaining(reason),
    });
  }
  expect(existsSync(path.join(home, "known"))).toBe(false);
});

test("a name or an address that no key can carry is refused", async () => {
  const { home } = store();
  for (const change of [{ name: "" }, { name: "Ada <x>" }, { name: "A\nB" }, { email: "nobody" }, { email: "a b@c" }]) {
    await expect(generateKey({ home, ...ADA, ...change })).rejects.toMatchObject({ code: "E122" });
  }
  expect(existsSync(home)).toBe(false);
});
