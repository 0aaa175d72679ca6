import { isIP } from "node:net";
import { parseAuthority } from "../system/host-name.js";
import { specialPurposeOf } from "../system/special-address.js";

/** One entry of `allowed_hosts`, or of `--allow-host`. */
export interface AllowedHost {
  host: string;
  /** The names below it instead of itself. */
  below: boolean;
  /** Undefined: those of the web. */
  port: number | undefined;
}

/** Reads `api.example.com`, `*.example.com`, `host:8443` or an address; undefined for what is none. */
export function parseAllowedHost(entry: string): AllowedHost | undefined {
  const below = entry.startsWith("*.");
  const authority = parseAuthority(below ? entry.slice(2) : entry);
  return authority === undefined || (below && isIP(authority.host) !== 0) ? undefined : { ...authority, below };
}

/** Why nobody can be allowed to reach it, as the end of a sentence; undefined where it may be. Names are looked at when they are asked for. */
export function whyNotAllowed(entry: string): string | undefined {
  const host = parseAllowedHost(entry)?.host;
  if (host === undefined) return "is no host that can be allowed";
  const what = isIP(host) === 0 ? undefined : specialPurposeOf(host);
  return what && `is ${what}, and the proxy leads to the public internet only`;
}
