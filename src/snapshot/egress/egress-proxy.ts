import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { formatDestination } from "../../system/host-name.js";
import { type AllowList, allows } from "./allow-list.js";
import { answerRequest, answerSocket } from "./answer-refusal.js";
import { Exchange } from "./exchange.js";
import type { EgressNetwork } from "./network.js";
import { reach } from "./reach.js";
import { Refusal } from "./refusal.js";
import { LARGEST_HEAD, relay } from "./relay.js";
import type { RequestLog } from "./request-log.js";
import { parseTarget, type RequestTarget } from "./request-target.js";
import { ThrottledSocket } from "./throttled-socket.js";
import type { TokenBucket } from "./token-bucket.js";
import { joinStreams } from "./tunnel.js";

export interface ProxyLimits {
  /** Connections at once; more are closed unheard. */
  connections: number;
  /** For all headers of a request, from its first byte or the connection's beginning. */
  headersMs: number;
  /** To resolve a name and connect. */
  reachMs: number;
  /** Without a byte either way. */
  idleMs: number;
  /** The same, once one direction has ended. */
  halfOpenMs: number;
}

export const PROXY_LIMITS: ProxyLimits = {
  connections: 128,
  headersMs: 10_000,
  reachMs: 10_000,
  idleMs: 300_000,
  halfOpenMs: 60_000,
};

interface ProxyParts {
  allowList: AllowList;
  network: EgressNetwork;
  /** What all connections share; undefined for as fast as it goes. */
  bucket: TokenBucket | undefined;
  log: RequestLog;
  limits: ProxyLimits;
  now: () => Date;
}

export interface EgressProxy {
  /** Not listening yet. */
  server: Server;
  /** Ends every connection and waits until all is recorded. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5000;

/** A forward proxy that reaches what the list allows and nothing else, and records all that it was asked. */
export function egressProxy(parts: ProxyParts): EgressProxy {
  const { limits, log, now } = parts;
  const sockets = new Set<Socket>();
  const busy = new Map<Socket, Exchange>();
  const underWay = new Set<Promise<void>>();
  const server = createServer({
    maxHeaderSize: LARGEST_HEAD,
    insecureHTTPParser: false,
    // Its lack is judged, and recorded, with the rest of the request.
    requireHostHeader: false,
    headersTimeout: limits.headersMs,
    // A large body takes as long as it takes; a silent one is idle.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(limits.headersMs, 1000),
  });
  server.maxConnections = limits.connections;
  // Headers are bounded by their size; what is beyond a number would be dropped unseen.
  server.maxHeadersCount = 0;
  server.timeout = limits.idleMs;

  const begin = (method: string, written: string) => new Exchange(log, now(), { method, written });
  const refuseUnread = (reason: string) => {
    const exchange = begin("", "");
    exchange.refused(new Refusal(400, reason));
    exchange.end();
  };

  /** Runs one exchange to its end; `work` throws refusals, `answer` tells them. */
  const serve = (
    request: IncomingMessage,
    client: Socket,
    work: (exchange: Exchange) => Promise<void>,
    answer: (refusal: Refusal) => void,
  ) => {
    const exchange = begin(request.method ?? "", request.url ?? "");
    const done = (async () => {
      try {
        if (busy.has(client)) throw new Refusal(400, "a request before the one before it was answered");
        busy.set(client, exchange);
        await work(exchange);
      } catch (cause) {
        // Nothing that a sandbox or a host sends ends this process.
        const refusal = cause instanceof Refusal ? cause : new Refusal(502, String(cause), { forbidden: false, cause });
        exchange.refused(refusal);
        answer(refusal);
      } finally {
        if (busy.get(client) === exchange) busy.delete(client);
        exchange.end();
      }
    })();
    underWay.add(done);
    done.finally(() => underWay.delete(done));
  };

  const forward = (request: IncomingMessage, response: ServerResponse) =>
    serve(
      request,
      request.socket,
      async (exchange) => {
        response.once("finish", () => busy.delete(request.socket));
        const { target, upstream } = await open(parts, request, request.socket, exchange);
        await relay({ incoming: request, outgoing: response }, target, upstream);
      },
      (refusal) => answerRequest(response, refusal),
    );

  const tunnel = (request: IncomingMessage, client: Socket, head: Buffer) => {
    client.on("error", () => {});
    client.setTimeout(limits.idleMs, () => client.destroy());
    serve(
      request,
      client,
      async (exchange) => {
        const { upstream } = await open(parts, request, client, exchange);
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        if (head.length > 0) client.unshift(head);
        await joinStreams(client, upstream, limits.halfOpenMs);
      },
      (refusal) => answerSocket(client, refusal),
    );
  };

  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("request", forward);
  server.on("checkExpectation", forward);
  server.on("connect", (request, client, head) => tunnel(request, client as Socket, head));
  server.on("drop", () => refuseUnread(`more than ${limits.connections} connections at once`));
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // It was told already, and goes on sending.
    if (socket.writableEnded && !socket.destroyed && error.code?.startsWith("HPE_")) return;
    const refusal = judgeClientError(error);
    const exchange = busy.get(socket);
    if (refusal) exchange?.broke(refusal.message);
    if (!refusal || exchange || !socket.writable) {
      socket.destroy();
      return;
    }
    refuseUnread(refusal.message);
    answerSocket(socket, refusal);
  });

  return {
    server,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, ...underWay]);
    },
  };
}

/** Judges a request, reaches for its destination, and gives the way to it at the rate of the sandbox. */
async function open(
  { allowList, network, bucket, limits }: ProxyParts,
  { method = "", url = "", rawHeaders }: IncomingMessage,
  client: Socket,
  exchange: Exchange,
): Promise<{ target: RequestTarget; upstream: Duplex }> {
  const target = parseTarget({ method, url, rawHeaders });
  exchange.aimAt(target);
  if (!allows(allowList, target)) throw new Refusal(403, `${formatDestination(target)} is not in allowed_hosts`);
  const gone = new AbortController();
  const leave = () => gone.abort();
  client.once("close", leave);
  try {
    if (client.destroyed) leave();
    const { socket, address } = await reach(target, network, { timeMs: limits.reachMs, gone: gone.signal });
    exchange.reached(socket, address);
    return { target, upstream: bucket ? new ThrottledSocket(socket, bucket) : socket };
  } finally {
    client.removeListener("close", leave);
  }
}

/** What is wrong with what came; undefined where the connection just broke. */
function judgeClientError({ code = "" }: NodeJS.ErrnoException): Refusal | undefined {
  if (code === "HPE_HEADER_OVERFLOW") return new Refusal(431, `headers of more than ${LARGEST_HEAD} bytes`);
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return new Refusal(408, "no request in time");
  return code.startsWith("HPE_") ? new Refusal(400, `not a request that HTTP/1.1 allows (${code})`) : undefined;
}
