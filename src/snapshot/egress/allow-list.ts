import { isIP } from "node:net";
import { KaiError } from "../../error.js";
import { type Destination, parseAuthority } from "./host-name.js";

interface AllowedHost {
  host: string;
  /** The names below it instead of itself. */
  below: boolean;
  ports: readonly number[];
}

export type AllowList = readonly AllowedHost[];

const WEB_PORTS = [80, 443];

/**
 * `api.example.com` and `*.example.com` (any name below, not itself) on ports 80 and 443, `host:8443` on that port alone;
 * an address is allowed where it is listed as such. Throws E106.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  return entries.map((entry) => {
    const below = entry.startsWith("*.");
    const authority = parseAuthority(below ? entry.slice(2) : entry);
    if (authority === undefined || (below && isIP(authority.host) !== 0)) throw notAHost(entry);
    const { host, port } = authority;
    return { host, below, ports: port === undefined ? WEB_PORTS : [port] };
  });
}

/** Whether the list names this destination. */
export const allows = (list: AllowList, { host, port }: Destination): boolean =>
  list.some(
    (entry) =>
      entry.ports.includes(port) &&
      (entry.below ? isIP(host) === 0 && host.endsWith(`.${entry.host}`) : host === entry.host),
  );

const notAHost = (entry: string): KaiError =>
  new KaiError("E106", `${JSON.stringify(entry)} is not a host that can be allowed.`, {
    hint: "Write snapshot_isolation.network.allowed_hosts as `api.example.com`, `*.example.com` or `host:8443`.",
  });
