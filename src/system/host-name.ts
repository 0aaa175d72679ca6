import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";

/** Where a request wants to go: a name or address in the one form that is compared, and a port. */
export interface Destination {
  host: string;
  port: number;
}

/** The same as it is written where the port may be left out. */
interface Authority {
  host: string;
  port: number | undefined;
}

const LONGEST_NAME = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** What some C libraries read as an address: its last part is a number, whatever its base. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/?#@[\]\\%]{1,512}))(?::(\d{1,5}))?$/;
const LAST_PORT = 65_535;

/**
 * The one form of a host: lower case, no last dot, names by IDNA in ASCII, IPv6 without brackets and as short as it goes.
 * Undefined for what is no host, and for addresses written other than in full, such as 127.1 or 0x7f000001.
 */
export function normaliseHost(written: string): string | undefined {
  if (isIPv6(written)) return written.includes("%") ? undefined : shortestIPv6(written);
  // Only what is not ASCII is given to IDNA, which would also decode percent signs.
  const ascii = isAscii(written) ? written.toLowerCase() : domainToASCII(written);
  if (isIPv4(ascii)) return ascii;
  const name = ascii.endsWith(".") ? ascii.slice(0, -1) : ascii;
  const labels = name.split(".");
  if (name.length > LONGEST_NAME || NUMBER.test(labels.at(-1) ?? "")) return undefined;
  return labels.every((label) => LABEL.test(label)) ? name : undefined;
}

/** Reads `host`, `host:port`, `[v6]:port`; undefined where it is not exactly that. */
export function parseAuthority(text: string): Authority | undefined {
  const [, six, other, digits] = AUTHORITY.exec(text) ?? [];
  const host = six === undefined ? normaliseHost(other ?? "") : isIPv6(six) ? normaliseHost(six) : undefined;
  const port = digits === undefined ? undefined : Number(digits);
  return host === undefined || port === 0 || (port ?? 1) > LAST_PORT ? undefined : { host, port };
}

/** `example.com:443`, `[2001:db8::1]:443`. */
export const formatDestination = ({ host, port }: Destination): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

const shortestIPv6 = (address: string): string => new URL(`http://[${address}]/`).hostname.slice(1, -1);
