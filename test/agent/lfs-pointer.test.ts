import { expect, test } from "vitest";
import { parseLfsPointer } from "../../src/agent/lfs-pointer.js";

const OID = `sha256:${"4d7a2146".repeat(8)}`;
const POINTER = `version https://git-lfs.github.com/spec/v1\noid ${OID}\nsize 12345\n`;

test("reads a pointer", () => {
  expect(parseLfsPointer(Buffer.from(POINTER))).toEqual({ oid: OID, size: 12345 });
});

test("reads a pointer with extensions, whose keys are sorted", () => {
  const text = POINTER.replace("oid", `ext-0-foo ${OID}\noid`);
  expect(parseLfsPointer(Buffer.from(text))).toEqual({ oid: OID, size: 12345 });
});

test.each([
  ["nothing", ""],
  ["another version", POINTER.replace("v1", "v2")],
  ["keys out of order", `version https://git-lfs.github.com/spec/v1\nsize 12345\noid ${OID}\n`],
  ["a key twice", POINTER.replace("size", `oid ${OID}\nsize`)],
  ["the version not first", POINTER.split("\n").reverse().join("\n")],
  ["no line feed at the end", POINTER.slice(0, -1)],
  ["a blank line", `${POINTER}\n`],
  ["carriage returns", POINTER.replaceAll("\n", "\r\n")],
  ["a short digest", POINTER.replace(OID, "sha256:4d7a")],
  ["an upper-case digest", POINTER.replace(OID, `sha256:${"AB".repeat(32)}`)],
  ["another digest", POINTER.replace("sha256:", "md5:")],
  ["a negative size", POINTER.replace("12345", "-1")],
  ["a size with a leading zero", POINTER.replace("12345", "012")],
  ["a size beyond any disk", POINTER.replace("12345", "9".repeat(20))],
  ["two blanks", POINTER.replace("oid ", "oid  ")],
  ["no size", POINTER.replace(/size.*\n/, "")],
  ["1024 bytes", `${POINTER}x ${"y".repeat(1024)}\n`],
])("takes no blob with %s for a pointer", (_, text) => {
  expect(parseLfsPointer(Buffer.from(text))).toBeUndefined();
});

test("takes no binary for a pointer", () => {
  expect(parseLfsPointer(Buffer.concat([Buffer.from(POINTER), Buffer.from([0xff, 0x0a])]))).toBeUndefined();
});
