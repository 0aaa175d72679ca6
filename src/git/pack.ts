import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import type { GitObject, ObjectType } from "./object.js";
import type { ObjectFormat } from "./repository.js";

const TYPE_NUMBERS: Record<ObjectType, number> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** A pack of whole objects (gitformat-pack, version 2), so that one git process writes them all. */
export function makePack(objects: readonly GitObject[], format: ObjectFormat): Buffer {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.length, 8);
  const body = [
    header,
    // Stored as it is: git compresses it itself when it writes the object.
    ...objects.flatMap((object) => [entryHeader(object), deflateSync(object.content, { level: 0 })]),
  ];
  const hash = createHash(format);
  for (const part of body) hash.update(part);
  return Buffer.concat([...body, hash.digest()]);
}

/** Type and size: four bits of the size in the first byte, seven in each that follows. */
function entryHeader(object: GitObject): Buffer {
  let size = object.content.length;
  let byte = (TYPE_NUMBERS[object.type] << 4) | (size & 15);
  size = Math.floor(size / 16);
  const bytes: number[] = [];
  while (size > 0) {
    bytes.push(byte | 128);
    byte = size & 127;
    size = Math.floor(size / 128);
  }
  bytes.push(byte);
  return Buffer.from(bytes);
}
