import { Resolver } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

/** How the proxy reaches the outside. Tests hand in another one; nothing that is configured can. */
export interface EgressNetwork {
  /** All addresses of a name, IPv4 first. Rejects where there is none. */
  resolve(name: string, signal: AbortSignal): Promise<string[]>;
  /** A socket that connects to this very address; both directions end by themselves. */
  connect(address: string, port: number): Socket;
  /** Addresses of this machine. */
  ownAddresses(): ReadonlySet<string>;
}

const DNS_TRY_MS = 2000;
const DNS_TRIES = 2;

/** This machine's network. Names are asked of its name servers as they are: no hosts file, no search domains. */
export const hostNetwork = (nameServers?: readonly string[]): EgressNetwork => ({
  async resolve(name, signal) {
    const resolver = new Resolver({ timeout: DNS_TRY_MS, tries: DNS_TRIES });
    if (nameServers) resolver.setServers(nameServers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const [four, six] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
      if (four.status === "rejected" && six.status === "rejected") throw four.reason;
      return [four, six].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  },
  connect: (address, port) => connect({ host: address, port, allowHalfOpen: true, noDelay: true }),
  ownAddresses: () =>
    new Set(
      Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .map(({ address }) => address),
    ),
});
