import { isIPv4 } from "node:net";

type Block = readonly [prefix: string, what: string];

// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its updates), multicast (RFC 5771), class E (RFC 1112). Blocks that it
// calls globally reachable are left out, but for those inside 192.0.0.0/24.
const IPV4: readonly Block[] = [
  ["0.0.0.0/8", "of this network"],
  ["10.0.0.0/8", "private"],
  ["100.64.0.0/10", "shared by a carrier"],
  ["127.0.0.0/8", "loopback"],
  ["169.254.0.0/16", "link-local"],
  ["172.16.0.0/12", "private"],
  ["192.0.0.0/24", "for protocols"],
  ["192.0.2.0/24", "for documentation"],
  ["192.88.99.0/24", "a 6to4 relay"],
  ["192.168.0.0/16", "private"],
  ["198.18.0.0/15", "for benchmarks"],
  ["198.51.100.0/24", "for documentation"],
  ["203.0.113.0/24", "for documentation"],
  ["224.0.0.0/4", "multicast"],
  ["240.0.0.0/4", "reserved"],
  // The one metadata service that is not link-local: Azure's host agent.
  ["168.63.129.16/32", "a metadata service"],
];

// IANA IPv6 Special-Purpose Address Registry and IPv6 Address Space; only 2000::/3 is given out at all.
const IPV6: readonly Block[] = [
  ["::/128", "unspecified"],
  ["::1/128", "loopback"],
  ["::ffff:0:0/96", "an IPv4 address in IPv6"],
  ["::/96", "an IPv4 address in IPv6"],
  ["64:ff9b:1::/48", "private"],
  ["100::/64", "discarded"],
  ["2001::/23", "for protocols"],
  ["2001:db8::/32", "for documentation"],
  ["2002::/16", "an IPv4 address in IPv6"],
  ["3fff::/20", "for documentation"],
  ["fc00::/7", "private"],
  ["fe80::/10", "link-local"],
  ["fec0::/10", "private"],
  ["ff00::/8", "multicast"],
];
const GLOBAL_UNICAST = "2000::/3";
/** Of RFC 6052: an IPv4 address that a gateway translates, so that one is judged. */
const NAT64 = "64:ff9b::/96";

/** What an address is where the public internet does not lead to it (`private`, `loopback`, …); undefined where it does. */
export function specialPurposeOf(address: string): string | undefined {
  const bytes = addressBytes(address);
  if (bytes.length === 4) return blockOf(IPV4, bytes);
  if (isWithin(bytes, NAT64)) return blockOf(IPV4, bytes.slice(12));
  return blockOf(IPV6, bytes) ?? (isWithin(bytes, GLOBAL_UNICAST) ? undefined : "not given out");
}

const blockOf = (blocks: readonly Block[], bytes: readonly number[]): string | undefined =>
  blocks.find(([prefix]) => isWithin(bytes, prefix))?.[1];

function isWithin(bytes: readonly number[], prefix: string): boolean {
  const [network, length] = prefix.split("/") as [string, string];
  const wanted = addressBytes(network);
  return wanted.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, Number(length) - 8 * index));
    return (((bytes[index] ?? 0) ^ byte) & (0xff00 >> bits) & 0xff) === 0;
  });
}

/** 4 or 16 bytes. The URL parser writes any IPv6 address in groups of hexadecimal digits. */
function addressBytes(address: string): number[] {
  if (isIPv4(address)) return address.split(".").map(Number);
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const groups = (text: string | undefined) => (text ? text.split(":").map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}
