import { formatArmor, readArmor } from "./armor.js";
import { MalformedError, type Packet, splitPackets, TAG } from "./packet.js";
import { type PublicKeyPart, publicPacketOf, readPublicKeyPart } from "./public-key.js";

/** One key as it stands in a file: its packets, with nothing checked but their form. */
export interface KeyBlock {
  readonly secret: boolean;
  readonly packets: readonly Packet[];
  readonly primary: PublicKeyPart;
  readonly subkeys: readonly PublicKeyPart[];
  /** User ids as text; bytes that are no UTF-8 become U+FFFD. */
  readonly userIds: readonly string[];
}

/** A file of keys is a few kilobytes; one of more than this is something else. */
const LARGEST = 4 << 20;

/** The keys of a file, armored (several blocks, text between them) or binary, public or secret. Throws MalformedError. */
export function readKeyBlocks(file: Buffer): KeyBlock[] {
  if (file.length === 0) throw new MalformedError("it is empty");
  if (file.length > LARGEST) throw new MalformedError("it is too large to be a key");
  const blocks = binariesOf(file).flatMap((bytes) => splitKeys(splitPackets(bytes)));
  if (blocks.length === 0) throw new MalformedError("there is no key in it");
  return blocks;
}

function binariesOf(file: Buffer): Buffer[] {
  if (((file[0] ?? 0) & 0x80) !== 0) return [file];
  const blocks = armoredBlocks(file.toString("latin1"));
  if (blocks.length === 0) throw new MalformedError("there is no OpenPGP key in it");
  return blocks.map((block) => readArmor(block, "foreign").bytes);
}

// Not one regular expression: over a hostile file it would take time in the square of its length.
function armoredBlocks(text: string): string[] {
  const blocks: string[] = [];
  const begin = /-----BEGIN (PGP (?:PUBLIC|PRIVATE) KEY BLOCK)-----/g;
  for (let match = begin.exec(text); match !== null; match = begin.exec(text)) {
    const last = `-----END ${match[1]}-----`;
    const end = text.indexOf(last, match.index);
    if (end < 0) throw new MalformedError("the armor is cut short");
    blocks.push(text.slice(match.index, end + last.length));
    begin.lastIndex = end + last.length;
  }
  return blocks;
}

function splitKeys(packets: readonly Packet[]): KeyBlock[] {
  const groups: Packet[][] = [];
  for (const each of packets) {
    if (each.tag === TAG.marker || each.tag === TAG.trust) continue;
    if (each.tag === TAG.publicKey || each.tag === TAG.secretKey) groups.push([each]);
    else if (groups.length === 0) throw new MalformedError("it does not begin with a key");
    else groups.at(-1)?.push(each);
  }
  return groups.map(keyBlockOf);
}

function keyBlockOf(packets: readonly Packet[]): KeyBlock {
  const [primary] = packets;
  if (primary === undefined) throw new MalformedError("there is no key in it");
  return {
    secret: primary.tag === TAG.secretKey,
    packets,
    primary: readPublicKeyPart(primary.body),
    subkeys: packets.filter(isSubkey).map(({ body }) => readPublicKeyPart(body)),
    userIds: packets.filter(({ tag }) => tag === TAG.userId).map(({ body }) => body.toString("utf8")),
  };
}

const isSubkey = ({ tag }: Packet): boolean => tag === TAG.publicSubkey || tag === TAG.secretSubkey;

export const binaryKey = (block: KeyBlock): Buffer => Buffer.concat(block.packets.map(({ raw }) => raw));

/** The key without its secrets. */
export function publicKeyOf(block: KeyBlock): Buffer {
  return Buffer.concat(
    block.packets.map((each) => {
      const isKey = each.tag === TAG.secretKey || each.tag === TAG.secretSubkey;
      return isKey ? publicPacketOf(readPublicKeyPart(each.body), each.tag === TAG.secretSubkey) : each.raw;
    }),
  );
}

export const armorPublicKey = (block: KeyBlock): string => formatArmor("PGP PUBLIC KEY BLOCK", publicKeyOf(block));

export const armorSecretKey = (block: KeyBlock): string => formatArmor("PGP PRIVATE KEY BLOCK", binaryKey(block));

/** `Ada <ada@example.com>` in its two halves; a user id of another form is all name. */
export function nameAndEmail(userId: string): { name: string; email: string } {
  const match = /^(.*?) ?<([^<>]+)>$/.exec(userId);
  return match ? { name: match[1] ?? "", email: match[2] ?? "" } : { name: userId, email: "" };
}
