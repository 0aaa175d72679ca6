import { createHash } from "node:crypto";
import { binaryKey, type KeyBlock, publicKeyOf, readKeyBlocks } from "./key-block.js";
import { MalformedError } from "./packet.js";
import { type SimpleKey, simpleKeyOf } from "./simple-key.js";

/** A file of one or several public keys, armored or binary. */
export interface PublicKeyFile {
  /** For messages: a file's name or a path in the log. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface RingKey {
  readonly fingerprint: string;
  readonly userIds: readonly string[];
  readonly block: KeyBlock;
  /** The public key in binary, once for each differing copy that the files held. */
  readonly copies: readonly Buffer[];
  readonly simple: SimpleKey | undefined;
}

export interface KeyRing {
  /** SHA-256 in hex of all keys, whatever the order of the files. */
  readonly digest: string;
  readonly keys: readonly RingKey[];
  /** Files, or keys of them, that could not be read. */
  readonly problems: readonly { readonly name: string; readonly reason: string }[];
  /** The keys whose primary key or a subkey has this fingerprint or key id (UPPER hex). */
  find(id: string): readonly RingKey[];
}

/** Reads keys without judging them: whether one may speak is for the policy. A file that cannot be read is a problem, not an error. */
export function createKeyRing(files: readonly PublicKeyFile[]): KeyRing {
  const keys = new Map<string, RingKey>();
  const problems: { name: string; reason: string }[] = [];
  for (const { name, bytes } of files) {
    try {
      for (const block of readKeyBlocks(bytes)) addKey(keys, block);
    } catch (cause) {
      if (!(cause instanceof MalformedError)) throw cause;
      problems.push({ name, reason: cause.message });
    }
  }
  const index = indexOf(keys.values());
  return { digest: digestOf(keys.values()), keys: [...keys.values()], problems, find: (id) => index.get(id) ?? [] };
}

function addKey(keys: Map<string, RingKey>, block: KeyBlock): void {
  const binary = block.secret ? publicKeyOf(block) : binaryKey(block);
  const { fingerprint } = block.primary;
  const known = keys.get(fingerprint);
  if (known?.copies.some((copy) => copy.equals(binary))) return;
  keys.set(fingerprint, {
    fingerprint,
    userIds: known?.userIds ?? block.userIds,
    block: known?.block ?? block,
    copies: [...(known?.copies ?? []), binary],
    // Where two copies differ, one of them may hold a revocation.
    simple: known ? undefined : simpleKeyOf(block),
  });
}

function indexOf(keys: Iterable<RingKey>): Map<string, RingKey[]> {
  const index = new Map<string, RingKey[]>();
  for (const key of keys) {
    const ids = [key.block.primary, ...key.block.subkeys].flatMap(({ fingerprint, keyId }) => [fingerprint, keyId]);
    for (const id of new Set(ids)) index.set(id, [...(index.get(id) ?? []), key]);
  }
  return index;
}

function digestOf(keys: Iterable<RingKey>): string {
  const copies = [...keys]
    .flatMap(({ copies }) => copies)
    .map((copy) => createHash("sha256").update(copy).digest("hex"));
  return createHash("sha256").update(copies.sort().join("\n")).digest("hex");
}
