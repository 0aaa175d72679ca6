import { once } from "node:events";
import { connect, Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { outside, PUBLIC, PUBLIC_SIX } from "./outside.js";
import {
  connectTo,
  get,
  hear,
  plainServer,
  recordingServer,
  runProxy,
  say,
  statusOf,
  webServer,
} from "./proxy-bench.js";

const NAMES = { "a.example.com": [PUBLIC] };

/** Once the other side has ended it, one way or the other. */
const ended = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on("error", () => {});
    socket.once("end", () => socket.end());
    socket.once("close", () => resolve());
    socket.resume();
  });

/** A tunnel that is open, and its client's end. */
async function openTunnel(port: number, head = ""): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(connectTo("a.example.com:443") + head, "latin1");
  const [first] = (await once(socket, "data")) as [Buffer];
  expect(first.toString()).toBe("HTTP/1.1 200 Connection Established\r\n\r\n");
  return socket;
}

test("a tunnel passes any bytes both ways, those that come with the request too, and counts them", async () => {
  const server = await plainServer((socket) => socket.pipe(socket));
  const world = outside(server, NAMES);
  const proxy = await runProxy(world, ["a.example.com"]);
  const socket = await openTunnel(proxy.port, "early ");
  const heard = hear(socket);
  socket.end(Buffer.from([0, 255, 13, 10, 13, 10]));
  expect(Buffer.from(await heard, "latin1")).toEqual(Buffer.from("early \0\xff\r\n\r\n", "latin1"));
  await proxy.close();
  expect(world.connected).toEqual([`${PUBLIC}:443`]);
  expect(await proxy.recorded()).toMatchObject([
    {
      method: "CONNECT",
      host: "a.example.com",
      port: 443,
      address: PUBLIC,
      allowed: true,
      reason: null,
      bytesUp: 12,
      bytesDown: 12,
    },
  ]);
});

test("a web socket is asked for through a tunnel", async () => {
  const server = await webServer();
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\nframes"));
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  const socket = await openTunnel(proxy.port);
  const heard = hear(socket);
  socket.write("GET /chat HTTP/1.1\r\nHost: a.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  expect(await heard).toMatch(/^HTTP\/1\.1 101 [\s\S]*frames$/);
});

test("each direction ends by itself: a host may answer after the client has said all", async () => {
  const server = await plainServer((socket) => {
    socket.resume();
    socket.once("end", () => socket.end("an answer"));
  });
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  const socket = await openTunnel(proxy.port);
  const heard = hear(socket);
  socket.end("a question");
  expect(await heard).toBe("an answer");
});

test("whichever end breaks off takes the other along", async () => {
  const ends: Socket[] = [];
  const server = await plainServer((socket) => {
    ends.push(socket);
    socket.resume();
  });
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  const first = await openTunnel(proxy.port);
  ends[0]?.resetAndDestroy();
  await ended(first);
  const second = await openTunnel(proxy.port);
  const far = ends[1] as Socket;
  second.resetAndDestroy();
  await ended(far);
  expect(await proxy.recorded()).toMatchObject([{ allowed: true }, { allowed: true }]);
});

test("silence ends a tunnel, and a half-open one sooner", async () => {
  const server = await plainServer((socket) => socket.resume());
  const idle = await runProxy(outside(server, NAMES), ["a.example.com"], { limits: { idleMs: 500 } });
  await ended(await openTunnel(idle.port));
  const halfOpen = await runProxy(outside(server, NAMES), ["a.example.com"], { limits: { halfOpenMs: 50 } });
  const socket = await openTunnel(halfOpen.port);
  socket.end();
  await ended(socket);
});

test("a host that does not take a connection is a bad gateway, or too late, and the next address is tried", async () => {
  const { server } = await recordingServer();
  const world = outside(server, NAMES);
  const { connect: reachable } = world.network;
  const unreachable = (how: "refuses" | "is silent") => (address: string, port: number) => {
    if (address !== PUBLIC) return reachable(address, port);
    world.connected.push(`${address}:${port} ${how}`);
    const socket = new Socket();
    if (how === "refuses") setImmediate(() => socket.destroy(Object.assign(new Error("no"), { code: "ECONNREFUSED" })));
    return socket;
  };
  const proxy = await runProxy(world, ["a.example.com"], { limits: { reachMs: 900 } });
  world.network.connect = unreachable("refuses");
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(502);
  world.network.connect = unreachable("is silent");
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(504);
  world.names["a.example.com"] = [PUBLIC, PUBLIC_SIX];
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(200);
  world.network.resolve = () => new Promise(() => {});
  expect(statusOf(await say(proxy.port, connectTo("a.example.com:443")))).toBe(504);
  expect((await proxy.recorded()).map(({ reason, address }) => [reason, address])).toEqual([
    ["a.example.com could not be connected to: ECONNREFUSED", null],
    ["a.example.com was not reached in time", null],
    [null, PUBLIC_SIX],
    ["a.example.com was not reached in time", null],
  ]);
});
