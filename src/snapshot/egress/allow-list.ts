import { isIP } from "node:net";
import { type AllowedHost, parseAllowedHost } from "../../agent/allowed-host.js";
import { KaiError } from "../../error.js";
import type { Destination } from "../../system/host-name.js";

interface AllowedPorts extends Pick<AllowedHost, "host" | "below"> {
  ports: readonly number[];
}

export type AllowList = readonly AllowedPorts[];

const WEB_PORTS = [80, 443];

/**
 * `api.example.com` and `*.example.com` (any name below, not itself) on ports 80 and 443, `host:8443` on that port alone;
 * an address is allowed where it is listed as such. Throws E106.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  return entries.map((entry) => {
    const allowed = parseAllowedHost(entry);
    if (allowed === undefined) throw notAHost(entry);
    const { host, below, port } = allowed;
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
