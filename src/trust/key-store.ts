import { homedir } from "node:os";
import path from "node:path";
import { KaiError } from "../error.js";
import { armorPublicKey, armorSecretKey, binaryKey, type KeyBlock, readKeyBlocks } from "./key-block.js";
import {
  fileOf,
  findDefaultKey,
  findKnownKey,
  findSecretKey,
  fingerprintsIn,
  knownFolder,
  readSecretKey,
  readStored,
  secretFolder,
  setDefaultKey,
  writeKnownKey,
  writeSecretKey,
} from "./key-files.js";
import type { PublicKeyFile } from "./key-ring.js";
import { MalformedError } from "./packet.js";
import { ed25519Point } from "./public-key.js";
import { ed25519SecretKey, isLocked } from "./secret-key.js";

/** A key of this user, or one that they imported to verify others with. */
export interface StoredKey {
  /** UPPER hex, 40 digits. */
  readonly fingerprint: string;
  /** The first user id. */
  readonly owner: string;
  /** `default`: signs unless another is named; `local`: its secret is here; `known`: only its public half is. */
  readonly status: "default" | "local" | "known";
}

/** Where keys and settings of this user live: `$KAI_HOME`, else the XDG folder for data. */
export function kaiHome(env: NodeJS.ProcessEnv): string {
  if (env["KAI_HOME"]) return path.resolve(env["KAI_HOME"]);
  const data = env["XDG_DATA_HOME"];
  // The XDG specification: a relative path is to be ignored.
  if (data && path.isAbsolute(data)) return path.join(data, "git-kai-version");
  return path.join(env["HOME"] || homedir(), ".local", "share", "git-kai-version");
}

/** All keys, the user's own first; each folder in the order of fingerprints. */
export async function listKeys(home: string): Promise<StoredKey[]> {
  const usual = await findDefaultKey(home);
  const keys: StoredKey[] = [];
  for (const [folder, status] of [
    [secretFolder(home), "local"],
    [knownFolder(home), "known"],
  ] as const) {
    for (const fingerprint of await fingerprintsIn(folder)) {
      if (keys.some((key) => key.fingerprint === fingerprint)) continue;
      const block = await readStored(folder, fingerprint);
      keys.push(describeKey(block, fingerprint === usual && status === "local" ? "default" : status));
    }
  }
  return keys;
}

const describeKey = (block: KeyBlock, status: StoredKey["status"]): StoredKey => ({
  fingerprint: block.primary.fingerprint,
  owner: block.userIds[0] ?? "",
  status,
});

/** The public keys to verify with: of the user's own keys and of those that they imported. */
export async function readKnownKeys(home: string): Promise<PublicKeyFile[]> {
  const files: PublicKeyFile[] = [];
  for (const folder of [secretFolder(home), knownFolder(home)]) {
    for (const fingerprint of await fingerprintsIn(folder)) {
      const block = await readStored(folder, fingerprint);
      files.push({ name: fileOf(folder, fingerprint), bytes: Buffer.from(armorPublicKey(block)) });
    }
  }
  return files;
}

/**
 * The armored key of a full fingerprint, or of the end of one (at least 16 digits), in any case and with blanks; the default
 * key where none is named. `secret` gives the secret key as it is kept: locked if it has a passphrase. E110 where there is none.
 */
export async function exportKey(
  home: string,
  wanted: string | undefined,
  { secret = false }: { secret?: boolean } = {},
): Promise<StoredKey & { armored: string }> {
  const key = await findStored(home, wanted);
  if (secret) return { ...key, armored: armorSecretKey(await readSecretKey(home, key.fingerprint)) };
  const folder = key.status === "known" ? knownFolder(home) : secretFolder(home);
  return { ...key, armored: armorPublicKey(await readStored(folder, key.fingerprint)) };
}

async function findStored(home: string, wanted: string | undefined): Promise<StoredKey> {
  const keys = await listKeys(home);
  const digits = wanted?.replace(/\s|^0x/g, "").toUpperCase();
  const found =
    digits === undefined
      ? keys.filter(({ status }) => status === "default")
      : keys.filter(({ fingerprint }) => digits.length >= 16 && fingerprint.endsWith(digits));
  const [key, ...others] = found;
  if (key && others.length === 0) return key;
  throw new KaiError("E110", wanted === undefined ? "There is no default key." : `There is no key ${wanted}.`, {
    hint: "`git kai-version key list` shows the keys there are; `git kai-version key generate` makes one.",
  });
}

export interface KeyRequest {
  home: string;
  name: string;
  email: string;
  /** None: the key file's permissions alone protect the key. */
  passphrase?: string | undefined;
  at: Date;
  /** Sign with it from now on, although there is a default key. */
  makeDefault?: boolean;
}

/**
 * Makes an Ed25519 key that openpgp.js and gpg since 2.1 can verify with: version 4, "EdDSA legacy", for signing, without end;
 * with a Curve25519 subkey, to which state can be encrypted.
 * The first key becomes the default one. E122 for a name or address that no user id can hold.
 */
export async function generateKey(request: KeyRequest): Promise<StoredKey> {
  const { home, name, email, passphrase, at } = request;
  const openpgp = await import("openpgp");
  const { privateKey } = await openpgp
    .generateKey({
      type: "ecc",
      curve: "ed25519Legacy",
      userIDs: [{ name: checkedName(name), email: checkedEmail(email) }],
      ...(passphrase && { passphrase }),
      date: new Date(Math.floor(at.getTime() / 1000) * 1000),
      // One to encrypt captured state to: Curve25519, which signs nothing.
      subkeys: [{}],
      format: "binary",
      // Self-signatures of gpg's own shape, which the fast path can read.
      config: { nonDeterministicSignaturesViaNotation: false },
    })
    .catch((cause: Error) => {
      throw new KaiError("E122", `No key can be made for ${name} <${email}>: ${cause.message}`, {
        hint: "Name and address must be those of a mailbox, such as clerk@example.com: set git's user.name and user.email.",
        cause,
      });
    });
  const [block] = readKeyBlocks(Buffer.from(privateKey));
  if (block === undefined) throw new KaiError("E170", "A key was made and could not be read.");
  return storeSecret(home, block, request.makeDefault === true);
}

function checkedName(name: string): string {
  if (name.trim() !== "" && !/[<>\p{Cc}]/u.test(name)) return name.trim();
  throw new KaiError("E122", "A key needs its owner's name, without < and >.", {
    hint: "Give it with `--name`, or set git's user.name.",
  });
}

function checkedEmail(email: string): string {
  if (/^[^\s<>@\p{Cc}]+@[^\s<>@\p{Cc}]+$/u.test(email)) return email;
  throw new KaiError("E122", `'${email}' is no e-mail address.`, {
    hint: "Give one with `--email`, or set git's user.email.",
  });
}

async function storeSecret(home: string, block: KeyBlock, makeDefault: boolean): Promise<StoredKey> {
  const here = await findSecretKey(home, block.primary.fingerprint);
  if (here === undefined || bringsSubkeys(here, block)) await writeSecretKey(home, block);
  const usual = await findDefaultKey(home);
  if (makeDefault || usual === undefined) await setDefaultKey(home, block.primary.fingerprint);
  const isDefault = makeDefault || usual === undefined || usual === block.primary.fingerprint;
  return describeKey(block, isDefault ? "default" : "local");
}

/** Whether it is the key that is here and more: with a subkey to encrypt to, say, that was made since. */
function bringsSubkeys(here: KeyBlock, block: KeyBlock): boolean {
  const has = new Set(block.subkeys.map(({ fingerprint }) => fingerprint));
  return block.subkeys.length > here.subkeys.length && here.subkeys.every(({ fingerprint }) => has.has(fingerprint));
}

/**
 * Takes in the keys of a file: secret ones to sign with (Ed25519 only; one that is here already stays as it is, unless it lacks a subkey), public ones to
 * verify others with (joined with what is known of them, so that a revocation is never lost). All of them or none: E123 for junk.
 */
export async function importKey(home: string, file: Buffer, { makeDefault = false } = {}): Promise<StoredKey[]> {
  const blocks = readBlocks(file);
  for (const block of blocks) await checkImport(block);
  const stored: StoredKey[] = [];
  for (const block of blocks) {
    stored.push(block.secret ? await storeSecret(home, block, makeDefault) : await storePublic(home, block));
  }
  return stored;
}

function readBlocks(file: Buffer): KeyBlock[] {
  try {
    return readKeyBlocks(file);
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw notImportable(cause.message);
  }
}

async function checkImport(block: KeyBlock): Promise<void> {
  const { fingerprint } = block.primary;
  if (block.secret) {
    if (ed25519Point(block.primary) === undefined) {
      throw notImportable(`${fingerprint} is not an Ed25519 key, and only those sign versions`);
    }
    try {
      if (!isLocked(block)) ed25519SecretKey(block);
    } catch (cause) {
      if (cause instanceof MalformedError) throw notImportable(`of ${fingerprint}, ${cause.message}`);
      throw cause;
    }
  }
  const openpgp = await import("openpgp");
  const whatever = null as unknown as Date;
  // Old keys are taken: what they are worth is said of each signature.
  const config = { rejectHashAlgorithms: new Set<never>() };
  try {
    const key = await openpgp.readKey({ binaryKey: binaryKey(block), config });
    await key.getPrimaryUser(whatever, undefined, { ...openpgp.config, ...config });
  } catch (cause) {
    throw notImportable(`${fingerprint} has no valid self-signature`, cause);
  }
}

async function storePublic(home: string, block: KeyBlock): Promise<StoredKey> {
  const known = await findKnownKey(home, block.primary.fingerprint);
  await writeKnownKey(home, known ? await joinKeys(known, block) : block);
  if ((await findSecretKey(home, block.primary.fingerprint)) === undefined) return describeKey(block, "known");
  return describeKey(block, (await findDefaultKey(home)) === block.primary.fingerprint ? "default" : "local");
}

async function joinKeys(known: KeyBlock, added: KeyBlock): Promise<KeyBlock> {
  if (binaryKey(known).equals(binaryKey(added))) return known;
  const openpgp = await import("openpgp");
  const [ours, theirs] = await Promise.all(
    [known, added].map((block) => openpgp.readKey({ binaryKey: binaryKey(block) })),
  );
  if (ours === undefined || theirs === undefined) return known;
  const [joined] = readKeyBlocks(Buffer.from((await ours.update(theirs)).write()));
  return joined ?? known;
}

const notImportable = (reason: string, cause?: unknown): KaiError =>
  new KaiError("E123", `No key was imported: ${reason}.`, {
    hint: "`gpg --armor --export <name>` writes a public key in the form that is read here.",
    cause,
  });
