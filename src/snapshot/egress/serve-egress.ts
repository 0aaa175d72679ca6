import { KaiError } from "../../error.js";
import { listenInNetwork } from "../../podman/listen-in-network.js";
import { identityOf, isAlive } from "../../system/process-identity.js";
import { parseAllowList } from "./allow-list.js";
import { egressProxy, PROXY_LIMITS, type ProxyLimits } from "./egress-proxy.js";
import { type EgressNetwork, hostNetwork } from "./network.js";
import { proxyEnvironment } from "./proxy-environment.js";
import { type DroppedRequests, type EgressRequest, RequestLog } from "./request-log.js";
import { TokenBucket } from "./token-bucket.js";

export interface EgressOptions {
  /** The first process of a container that has nothing but a loopback. */
  pid: number;
  rootless: boolean;
  /** `api.example.com`, `*.example.com`, `host:8443`, as kai.yaml has them. */
  allowedHosts: readonly string[];
  /** Bits per second, both directions together; null for as fast as it goes. */
  bandwidth: number | null;
  /** Hears of every request when it has ended, also of those that are not kept. */
  onRequest?: ((request: EgressRequest) => void) | undefined;
  env: NodeJS.ProcessEnv;
  /** Ends it all, as `close` does. */
  signal?: AbortSignal | undefined;
}

export interface Egress {
  /** What programs inside have to be told. */
  environment: Record<string, string>;
  /** What was asked and has ended, the first of them. */
  requests(): EgressRequest[];
  /** How many of them are beyond what is kept. */
  dropped(): DroppedRequests;
  /** Ends all connections; then nothing leaves the sandbox any more. */
  close(): Promise<void>;
}

/** What tests replace; no setting leads here. */
export interface EgressParts {
  network: EgressNetwork;
  limits: ProxyLimits;
  now: () => Date;
}

const PORT = 3128;
const LOOK_EVERY_MS = 1000;
const PARTS: EgressParts = { network: hostNetwork(), limits: PROXY_LIMITS, now: () => new Date() };

/**
 * Serves a proxy inside a sandbox, by which it reaches the hosts of the list and nothing else, until it is closed, aborted, or the
 * sandbox has ended. Throws E106 for a list that cannot be read, E103 where the sandbox cannot be entered.
 */
export async function serveEgress(options: EgressOptions, parts: EgressParts = PARTS): Promise<Egress> {
  const { pid, rootless, allowedHosts, bandwidth, onRequest, env, signal } = options;
  const allowList = parseAllowList(allowedHosts);
  const sandbox = identityOf(pid);
  if (sandbox === undefined) throw new KaiError("E103", "The sandbox has ended before its network could be opened.");
  const log = new RequestLog(onRequest);
  const bucket = bandwidth === null ? undefined : new TokenBucket(bandwidth);
  const inside = await listenInNetwork({ pid, rootless, port: PORT, env, signal });
  const proxy = egressProxy({ allowList, bucket, log, ...parts });
  proxy.server.listen(inside.server);

  const watch = setInterval(async () => {
    if (!isAlive(sandbox)) await close();
  }, LOOK_EVERY_MS).unref();
  let closing: Promise<void> | undefined;
  const close = () => {
    clearInterval(watch);
    signal?.removeEventListener("abort", close);
    closing ??= proxy.close();
    return closing;
  };
  signal?.addEventListener("abort", close, { once: true });
  if (signal?.aborted) await close();
  signal?.throwIfAborted();

  return {
    environment: proxyEnvironment(inside.port),
    requests: () => log.all(),
    dropped: () => log.dropped(),
    close,
  };
}
