import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { parseAllowList } from "../../../src/snapshot/egress/allow-list.js";
import { egressProxy, PROXY_LIMITS, type ProxyLimits } from "../../../src/snapshot/egress/egress-proxy.js";
import { type EgressRequest, RequestLog } from "../../../src/snapshot/egress/request-log.js";
import type { TokenBucket } from "../../../src/snapshot/egress/token-bucket.js";
import { type Outside, portOf } from "./outside.js";

/** A web server that says `hello` and what it was asked. */
export const webServer = (answer: RequestListener = (request, response) => response.end(`hello ${request.url}`)) =>
  listening(createHttpServer(answer));

/** A server whose connections `onConnection` drives by hand. */
export const plainServer = (onConnection: (socket: Socket) => void) =>
  listening(
    createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      onConnection(socket);
    }),
  );

/** A server that keeps what it gets and answers every connection with `answer` as soon as it gets anything. */
export async function recordingServer(answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
  const got: string[] = [];
  const server = await plainServer((socket) => {
    const index = got.push("") - 1;
    socket.on("data", (chunk) => {
      if (got[index] === "") socket.write(answer);
      got[index] += chunk.toString("latin1");
    });
    socket.on("end", () => socket.end());
  });
  return { server, got };
}

async function listening<T extends Server>(server: T): Promise<T> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server;
}

export interface RunningProxy {
  port: number;
  /** Ends it, and gives the record of every request. */
  recorded(): Promise<EgressRequest[]>;
  log: RequestLog;
  /** The record of the next one that ends. */
  next(): Promise<EgressRequest>;
  close(): Promise<void>;
}

/** The proxy on a port of this machine, in front of that outside. */
export async function runProxy(
  world: Outside,
  allowed: string[],
  { limits = {}, bucket }: { limits?: Partial<ProxyLimits>; bucket?: TokenBucket } = {},
): Promise<RunningProxy> {
  const waiting: ((request: EgressRequest) => void)[] = [];
  const log = new RequestLog((request) => waiting.shift()?.(request));
  const proxy = egressProxy({
    allowList: parseAllowList(allowed),
    network: world.network,
    bucket,
    log,
    limits: { ...PROXY_LIMITS, ...limits },
    now: () => new Date(),
  });
  proxy.server.listen(0, "127.0.0.1");
  await once(proxy.server, "listening");
  onTestFinished(proxy.close);
  return {
    port: portOf(proxy.server),
    async recorded() {
      await proxy.close();
      return log.all();
    },
    log,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: proxy.close,
  };
}

/** Opens a connection, sends `text`, and gives all that comes until the other side closes. */
export async function say(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const heard = hear(socket);
  socket.write(text, "latin1");
  return heard;
}

/** All that comes until the connection is over. */
export function hear(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.once("end", () => socket.end());
    socket.once("close", () => resolve(text));
  });
}

/** A request that asks for its connection to be closed, as HTTP writes it. */
export const get = (url: string, ...headers: string[]): string =>
  [`GET ${url} HTTP/1.1`, `Host: ${new URL(url).host}`, "Connection: close", ...headers, "", ""].join("\r\n");

export const connectTo = (authority: string): string => `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;

export const statusOf = (reply: string): number => Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1]);
