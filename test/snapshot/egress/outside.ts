import { type AddressInfo, connect, type Server } from "node:net";
import type { EgressNetwork } from "../../../src/snapshot/egress/network.js";

/** Addresses of the public internet that names lead to in tests; nothing is ever sent there. */
export const PUBLIC = "93.184.216.34";
export const PUBLIC_SIX = "2606:4700::1111";

export interface Outside {
  network: EgressNetwork;
  /** What each name leads to; a function is asked every time. */
  names: Record<string, string[] | (() => string[])>;
  /** `address:port` of every connection that the proxy made, in order. */
  connected: string[];
  /** Every name that was resolved. */
  resolved: string[];
}

/** The internet as the proxy sees it, played by one server of this process. */
export function outside(server: Server, names: Outside["names"]): Outside {
  const world: Outside = {
    names,
    connected: [],
    resolved: [],
    network: {
      async resolve(name) {
        world.resolved.push(name);
        const answer = world.names[name];
        if (answer === undefined) throw Object.assign(new Error("no such name"), { code: "ENOTFOUND" });
        return typeof answer === "function" ? answer() : answer;
      },
      connect(address, port) {
        world.connected.push(`${address}:${port}`);
        return connect({ port: portOf(server), host: "127.0.0.1", allowHalfOpen: true });
      },
      ownAddresses: () => new Set(["198.41.0.4"]),
    },
  };
  return world;
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port;
