import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { makeFolder, writeDurably } from "../system/durable-file.js";
import { reasonOf } from "../system/reason-of.js";
import { armorPublicKey, armorSecretKey, type KeyBlock, readKeyBlocks } from "./key-block.js";
import { MalformedError } from "./packet.js";

export const secretFolder = (home: string): string => path.join(home, "keys");
export const knownFolder = (home: string): string => path.join(home, "known");
const defaultFile = (home: string): string => path.join(home, "keys", "default");
export const fileOf = (folder: string, fingerprint: string): string => path.join(folder, `${fingerprint}.asc`);

const FINGERPRINT = /^[0-9A-F]{40}$/;

/** Refuses (E123) a file for the default key that names none: it was written by hand, or is damaged. */
export async function requireDefaultFile(home: string): Promise<void> {
  const file = defaultFile(home);
  if ((await readIfThere(file)) === undefined || (await findDefaultKey(home)) !== undefined) return;
  throw new KaiError("E123", `${file} names no key: it must hold one fingerprint, 40 digits in upper case.`, {
    hint: "`git kai-version key list` shows your keys: write the fingerprint of one into it, or remove it and import that key again.",
  });
}

/** The fingerprint of the key that signs when none is named. */
export async function findDefaultKey(home: string): Promise<string | undefined> {
  const text = await readIfThere(defaultFile(home));
  const fingerprint = text?.toString("utf8").trim();
  return fingerprint && FINGERPRINT.test(fingerprint) ? fingerprint : undefined;
}

export async function setDefaultKey(home: string, fingerprint: string): Promise<void> {
  await store(defaultFile(home), `${fingerprint}\n`, 0o600);
}

/** The secret key; E110 where it is not here, or where others on this machine could read it. */
export async function readSecretKey(home: string, fingerprint: string): Promise<KeyBlock> {
  const file = fileOf(secretFolder(home), fingerprint);
  if ((await readIfThere(file)) === undefined) {
    throw new KaiError("E110", `The secret key ${fingerprint} is not on this machine.`, {
      hint: "`git kai-version key list` shows the keys there are; `git kai-version key generate` makes one.",
    });
  }
  const { mode } = await stat(file);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new KaiError("E110", `The secret key ${file} can be read by others.`, { hint: `chmod 600 '${file}'` });
  }
  return readStored(secretFolder(home), fingerprint);
}

export async function findSecretKey(home: string, fingerprint: string): Promise<KeyBlock | undefined> {
  const there = await readIfThere(fileOf(secretFolder(home), fingerprint));
  return there && readSecretKey(home, fingerprint);
}

export async function findKnownKey(home: string, fingerprint: string): Promise<KeyBlock | undefined> {
  const there = await readIfThere(fileOf(knownFolder(home), fingerprint));
  return there && readStored(knownFolder(home), fingerprint);
}

export async function writeSecretKey(home: string, block: KeyBlock): Promise<void> {
  await store(fileOf(secretFolder(home), block.primary.fingerprint), armorSecretKey(block), 0o600);
}

export async function writeKnownKey(home: string, block: KeyBlock): Promise<void> {
  await store(fileOf(knownFolder(home), block.primary.fingerprint), armorPublicKey(block), 0o644);
}

/** Fingerprints of the keys in a folder, in their order; a folder that is not there holds none. */
export async function fingerprintsIn(folder: string): Promise<string[]> {
  const names = (await unlessAbsent(folder, readdir(folder))) ?? [];
  const fingerprints = names.filter((name) => name.endsWith(".asc")).map((name) => name.slice(0, -4));
  return fingerprints.filter((name) => FINGERPRINT.test(name)).sort();
}

/** The key that a folder keeps under `fingerprint`; E123 where the file is damaged. */
export async function readStored(folder: string, fingerprint: string): Promise<KeyBlock> {
  const file = fileOf(folder, fingerprint);
  try {
    const [block, ...others] = readKeyBlocks(await readFile(file));
    if (block?.primary.fingerprint === fingerprint && others.length === 0) return block;
    throw new MalformedError("it holds another key than its name says");
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new KaiError("E123", `The key file ${file} could not be read: ${cause.message}.`, {
      hint: "Move it away, and import the key again with `git kai-version key import`.",
      cause,
    });
  }
}

const readIfThere = (file: string): Promise<Buffer | undefined> => unlessAbsent(file, readFile(file));

/** What is read, or undefined where nothing is there: below a file, too, as with HOME=/dev/null. E123 for other trouble. */
async function unlessAbsent<T>(what: string, reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new KaiError("E123", `${what} could not be read: ${reasonOf(cause)}.`, { hint: HINT, cause });
  }
}

async function store(file: string, text: string, mode: number): Promise<void> {
  const folder = path.dirname(file);
  try {
    await makeFolder(folder);
    await writeDurably(file, text, mode);
  } catch (cause) {
    throw new KaiError("E118", `No key can be kept in ${folder}: ${reasonOf(cause)}.`, { hint: HINT, cause });
  }
}

const HINT =
  "Keys are kept below `$KAI_HOME`, or in your home folder where that is not set: let it be a folder that you can write to.";
