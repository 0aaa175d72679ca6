import { isIPv4 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { specialPurposeOf } from "../../src/system/special-address.js";

// The rows of the IANA IPv4 and IPv6 Special-Purpose Address Registries, as of 2025, that are not "globally reachable: true" (N/A and
// deprecated ones are not), and of the registries of multicast.
const NOT_REACHABLE = (
  "0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29 " +
  "192.0.0.8/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 198.18.0.0/15 " +
  "198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 255.255.255.255/32 224.0.0.0/4 " +
  "::1/128 ::/128 ::ffff:0:0/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:2::/48 2001:10::/28 " +
  "2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 ff00::/8"
).split(" ");
/** Those that are, and lie in no block that is not. */
const REACHABLE = [
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.175.48.0/24",
  "2620:4f:8000::/48",
  "2000::/16",
  "2a00::/12",
];
/** Ours beside the registries: a cloud's metadata service, IPv4-compatible and site-local addresses, space that is not given out. */
const REFUSED_TOO = ["168.63.129.16/32", "::/96", "fec0::/10", "::/3", "4000::/2", "8000::/1"];
const NAT64 = parseBlock("64:ff9b::/96");

interface Block {
  four: boolean;
  first: bigint;
  last: bigint;
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head = "", tail] = address.split("::");
  const [before, after] = [head, tail ?? ""].map((text) => (text === "" ? [] : text.split(":"))) as [
    string[],
    string[],
  ];
  const groups = [...before, ...new Array<string>(8 - before.length - after.length).fill("0"), ...after];
  return groups.reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
}

function parseBlock(text: string): Block {
  const [address, length] = text.split("/") as [string, string];
  const four = isIPv4(address);
  const first = numberOf(address);
  return { four, first, last: first + (1n << BigInt((four ? 32 : 128) - Number(length))) - 1n };
}

function write(four: boolean, value: bigint): string {
  const [parts, bits] = four ? [4, 8n] : [8, 16n];
  const mask = (1n << bits) - 1n;
  const groups = Array.from({ length: parts }, (_, index) => (value >> (bits * BigInt(parts - 1 - index))) & mask);
  return groups.map((group) => group.toString(four ? 10 : 16)).join(four ? "." : ":");
}

const within = (block: Block, value: bigint) => value >= block.first && value <= block.last;
const inside = (block: Block) =>
  fc
    .oneof(fc.constantFrom(block.first, block.last), fc.bigInt({ min: block.first, max: block.last }))
    .map((value) => ({ value, address: write(block.four, value) }));

test.each(NOT_REACHABLE)("%s is refused from its first address to its last", (row) => {
  fc.assert(fc.property(inside(parseBlock(row)), ({ address }) => specialPurposeOf(address) !== undefined));
});

test.each(REACHABLE)("%s is the public internet", (row) => {
  fc.assert(fc.property(inside(parseBlock(row)), ({ address }) => specialPurposeOf(address) === undefined));
});

test("every other address is public, up to the borders of the blocks", () => {
  const blocks = [...NOT_REACHABLE, ...REFUSED_TOO].map(parseBlock);
  const all = [parseBlock("0.0.0.0/0"), parseBlock("::/0")] as const;
  const anywhere = fc.oneof(inside(all[0]), inside(all[1]));
  const border = fc
    .tuple(fc.constantFrom(...blocks), fc.constantFrom(-1n, 0n, 1n), fc.boolean())
    .map(([block, step, end]) => ({ four: block.four, value: (end ? block.last : block.first) + step }))
    .filter(({ four, value }) => within(all[four ? 0 : 1], value))
    .map(({ four, value }) => ({ value, address: write(four, value) }));
  const judged = fc.oneof(anywhere, border).filter(({ address, value }) => isIPv4(address) || !within(NAT64, value));
  fc.assert(
    fc.property(judged, ({ value, address }) => {
      const refused = blocks.some((block) => block.four === isIPv4(address) && within(block, value));
      return refused === (specialPurposeOf(address) !== undefined);
    }),
    { numRuns: 2000 },
  );
});

test("what stands for an IPv4 address in IPv6 is no way around", () => {
  const addresses = fc.constantFrom(
    "10.0.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "100.64.0.1",
    "224.0.0.1",
  );
  fc.assert(
    fc.property(addresses, (four) => {
      const value = numberOf(four);
      const hex = `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
      const forms = [
        ...[`::ffff:${four}`, `::ffff:${hex}`, `0:0:0:0:0:FFFF:${hex}`, `::${four}`, `::${hex}`, `64:ff9b::${four}`],
        ...[`64:ff9b::${hex}`, `64:ff9b:1::${hex}`, `2002:${hex}::1`, `2001:0:${hex}::`, `::ffff:0:${hex}`],
      ];
      return forms.every((form) => specialPurposeOf(form) !== undefined);
    }),
  );
  expect(specialPurposeOf("64:ff9b::8.8.8.8")).toBeUndefined();
  expect(specialPurposeOf("::ffff:8.8.8.8")).toBe("an IPv4 address in IPv6");
});

test("says what an address is", () => {
  expect(
    ["10.1.2.3", "127.0.0.1", "169.254.169.254", "fd00::1", "::1", "100.100.100.200"].map(specialPurposeOf),
  ).toEqual(["private", "loopback", "link-local", "private", "loopback", "shared by a carrier"]);
  expect(["8.8.8.8", "2606:4700::1111"].map(specialPurposeOf)).toEqual([undefined, undefined]);
});
