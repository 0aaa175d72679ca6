import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { KaiError } from "../error.js";
import { binaryKey, type KeyBlock, readKeyBlocks } from "./key-block.js";
import { MalformedError, type Packet, readMpi } from "./packet.js";
import { ed25519Point, readPublicKeyPart } from "./public-key.js";

const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Whether the primary key's secret is behind a passphrase (or not there at all, as with a card). */
export const isLocked = (block: KeyBlock): boolean => usageOf(primaryOf(block)) !== 0;

/** The secret of an unlocked Ed25519 (legacy) key. Throws MalformedError where it does not fit its public half. */
export function ed25519SecretKey(block: KeyBlock): KeyObject {
  const packet = primaryOf(block);
  const part = readPublicKeyPart(packet.body);
  const point = ed25519Point(part);
  if (point === undefined) throw new MalformedError("it is not an Ed25519 key");
  if (usageOf(packet) !== 0) throw new MalformedError("it is locked");
  const start = part.body.length + 1;
  const { value: seed, next } = readMpi(packet.body, start);
  if (next + 2 !== packet.body.length || seed.length > 32) throw new MalformedError("its secret part is damaged");
  const sum = packet.body.subarray(start, next).reduce((total, byte) => (total + byte) & 0xffff, 0);
  if (sum !== packet.body.readUInt16BE(next)) throw new MalformedError("its secret part is damaged");
  const padded = Buffer.concat([Buffer.alloc(32 - seed.length), seed]);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, padded]), format: "der", type: "pkcs8" });
  const own = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  if (!own.equals(point)) throw new MalformedError("its secret part belongs to another key");
  return key;
}

/** The same key without a passphrase; E111 for a wrong one, E110 for a key that no passphrase opens. */
export async function unlockKey(block: KeyBlock, passphrase: string): Promise<KeyBlock> {
  const openpgp = await import("openpgp");
  try {
    const privateKey = await openpgp.readPrivateKey({ binaryKey: binaryKey(block) });
    const unlocked = await openpgp.decryptKey({ privateKey, passphrase });
    const [found] = readKeyBlocks(Buffer.from(unlocked.write()));
    if (found === undefined || isLocked(found)) throw new MalformedError("its secret is kept elsewhere");
    return found;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/incorrect key passphrase/i.test(reason)) {
      throw new KaiError("E111", `The passphrase of key ${block.primary.fingerprint} is wrong.`, {
        hint: "Run it again with the one that the key was made with, on a terminal or in KAI_KEY_PASSPHRASE. One that is lost cannot be had back.",
        cause,
      });
    }
    throw new KaiError("E110", `The key ${block.primary.fingerprint} could not be unlocked: ${reason}`, { cause });
  }
}

/** The byte behind the public half that says how the secret is kept (RFC 4880, section 5.5.3): 0 is openly. */
const usageOf = (packet: Packet): number | undefined => packet.body[readPublicKeyPart(packet.body).body.length];

function primaryOf({ packets: [first] }: KeyBlock): Packet {
  if (first === undefined) throw new MalformedError("there is no key in it");
  return first;
}
