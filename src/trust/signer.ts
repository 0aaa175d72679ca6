import { createHash, type KeyObject, sign } from "node:crypto";
import { KaiError } from "../error.js";
import { formatArmor } from "./armor.js";
import { trailerOf } from "./ed25519-signature.js";
import { armorPublicKey, type KeyBlock, nameAndEmail, publicKeyOf, readKeyBlocks } from "./key-block.js";
import { findDefaultKey, fingerprintsIn, readSecretKey, requireDefaultFile, secretFolder } from "./key-files.js";
import { lengthOf, MalformedError, mpi, packet, TAG } from "./packet.js";
import { ALGORITHM, ed25519Point, type PublicKeyPart } from "./public-key.js";
import { ed25519SecretKey, isLocked, unlockKey } from "./secret-key.js";
import { SIGNATURE_TYPE, SUBPACKET } from "./signature-packet.js";
import { simpleKeyOf } from "./simple-key.js";

export interface Signer {
  /** UPPER hex, 40 digits. */
  readonly fingerprint: string;
  readonly name: string;
  readonly email: string;
  /** Armored. */
  readonly publicKey: string;
  /** The armored detached signature over `payload`: LF, no headers, ends with a newline. */
  sign(payload: Buffer, at: Date): Promise<string>;
}

const SHA512 = 10;

export interface SignerRequest {
  /** Where the user's keys are: `kaiHome(env)`. */
  home: string;
  env: NodeJS.ProcessEnv;
  /** The key to sign with; default: that of KAI_SIGNING_KEY, else the user's default key. */
  fingerprint?: string | undefined;
  /** Asks for the passphrase of the key with that fingerprint, up to three times. */
  askPassphrase?: ((key: string) => Promise<string>) | undefined;
}

/** The key to sign with, unlocked. E110 where there is none that can sign, E111 for a wrong passphrase. */
export async function openSigner(request: SignerRequest): Promise<Signer> {
  const block = keyFromEnvironment(request) ?? (await keyFromStore(request));
  try {
    await requireSigningKey(block);
    return signerOf(await unlockedKey(block, request));
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new KaiError("E110", `The key ${block.primary.fingerprint} cannot sign: ${cause.message}.`, { cause });
  }
}

/** The user's secret keys, that of the environment first. */
export async function listSecretKeys(request: SignerRequest): Promise<KeyBlock[]> {
  const given = keyFromEnvironment(request);
  const kept: KeyBlock[] = [];
  for (const fingerprint of await fingerprintsIn(secretFolder(request.home))) {
    kept.push(await readSecretKey(request.home, fingerprint));
  }
  return given === undefined ? kept : [given, ...kept];
}

/** The same key without a passphrase. E111 where that is wrong, or nobody is here to give it. */
export const unlockedKey = (block: KeyBlock, request: SignerRequest): Promise<KeyBlock> =>
  isLocked(block) ? unlock(block, request) : Promise.resolve(block);

function keyFromEnvironment({ env, fingerprint }: SignerRequest): KeyBlock | undefined {
  const text = env["KAI_SIGNING_KEY"];
  if (!text) return undefined;
  const hint = "It must hold one armored secret key, as `git kai-version key export --secret` prints it.";
  try {
    const [block, ...others] = readKeyBlocks(Buffer.from(text));
    if (!block?.secret || others.length > 0) throw new MalformedError("it is not one secret key");
    return fingerprint === undefined || fingerprint === block.primary.fingerprint ? block : undefined;
  } catch (cause) {
    if (!(cause instanceof MalformedError)) throw cause;
    throw new KaiError("E110", `KAI_SIGNING_KEY could not be read: ${cause.message}.`, { hint, cause });
  }
}

async function keyFromStore({ home, fingerprint }: SignerRequest): Promise<KeyBlock> {
  const wanted = fingerprint ?? (await findDefaultKey(home));
  if (wanted !== undefined) return readSecretKey(home, wanted);
  await requireDefaultFile(home);
  throw new KaiError("E110", "There is no key to sign with.", {
    hint: "Make one with `git kai-version key generate`, or set KAI_SIGNING_KEY to an armored secret key.",
  });
}

/** Every reader would refuse the signature of a key that is not one to sign with, so it is not made. */
async function requireSigningKey(block: KeyBlock): Promise<void> {
  if (ed25519Point(block.primary) === undefined) throw new MalformedError("it is not an Ed25519 key");
  if (simpleKeyOf(block)) return;
  const openpgp = await import("openpgp");
  const key = await openpgp.readKey({ binaryKey: publicKeyOf(block) });
  const found = await key.getSigningKey(key.getKeyID()).catch((cause: Error) => {
    throw new MalformedError(cause.message, { cause });
  });
  if (found.getFingerprint() !== key.getFingerprint()) throw new MalformedError("it leaves signing to a subkey");
}

const TRIES = 3;

async function unlock(block: KeyBlock, { env, askPassphrase }: SignerRequest): Promise<KeyBlock> {
  const { fingerprint } = block.primary;
  const given = env["KAI_KEY_PASSPHRASE"];
  if (given) return unlockKey(block, given);
  if (askPassphrase === undefined) {
    throw new KaiError("E111", `The key ${fingerprint} has a passphrase, and nobody is here to ask for it.`, {
      hint: "Set KAI_KEY_PASSPHRASE, or run the command on a terminal.",
    });
  }
  for (let left = TRIES; ; left--) {
    try {
      return await unlockKey(block, await askPassphrase(fingerprint));
    } catch (cause) {
      if (left === 1 || !(cause instanceof KaiError) || cause.code !== "E111") throw cause;
    }
  }
}

/** A signer by an unlocked key. Throws MalformedError where the secret is damaged. */
function signerOf(block: KeyBlock): Signer {
  const secret = ed25519SecretKey(block);
  const { name, email } = nameAndEmail(block.userIds[0] ?? "");
  return {
    fingerprint: block.primary.fingerprint,
    name,
    email,
    publicKey: armorPublicKey(block),
    sign: async (payload, at) => formatArmor("PGP SIGNATURE", signatureOver(payload, at, block.primary, secret)),
  };
}

/**
 * A version 4 binary signature with SHA-512 (RFC 4880, section 5.2.3). All subpackets are hashed: what nobody signed is empty,
 * so nobody can alter a byte of it.
 */
function signatureOver(payload: Buffer, at: Date, key: PublicKeyPart, secret: KeyObject): Buffer {
  const fingerprint = Buffer.from(key.fingerprint, "hex");
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(Math.floor(at.getTime() / 1000));
  const hashed = Buffer.concat([
    subpacket(SUBPACKET.issuerFingerprint, Buffer.concat([Buffer.from([4]), fingerprint])),
    subpacket(SUBPACKET.created, seconds),
    subpacket(SUBPACKET.issuerKeyId, fingerprint.subarray(-8)),
  ]);
  const head = Buffer.from([4, SIGNATURE_TYPE.binary, ALGORITHM.eddsaLegacy, SHA512, 0, 0]);
  head.writeUInt16BE(hashed.length, 4);
  const signedPart = Buffer.concat([head, hashed]);
  const digest = createHash("sha512").update(payload).update(signedPart).update(trailerOf(signedPart)).digest();
  const raw = sign(null, digest, secret);
  const body = [signedPart, Buffer.alloc(2), digest.subarray(0, 2), mpi(raw.subarray(0, 32)), mpi(raw.subarray(32))];
  return packet(TAG.signature, Buffer.concat(body));
}

const subpacket = (type: number, body: Buffer): Buffer =>
  Buffer.concat([lengthOf(body.length + 1), Buffer.from([type]), body]);
