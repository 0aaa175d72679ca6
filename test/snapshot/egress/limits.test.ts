import { once } from "node:events";
import { connect, Socket } from "node:net";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { KEPT_REQUESTS, RequestLog } from "../../../src/snapshot/egress/request-log.js";
import { TokenBucket } from "../../../src/snapshot/egress/token-bucket.js";
import { outside, PUBLIC } from "./outside.js";
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

test.each([
  ["a header of more than 16 KiB", "X: ".padEnd(20_000, "x"), [431]],
  ["headers of more than 16 KiB", "X: 0123456789\r\n".repeat(2000), [431]],
  ["a header's name without end", "X".repeat(20_000), [400, 431]],
  ["more than 500 headers", "X: y\r\n".repeat(500).trim(), [431]],
])("%s: refused", async (_, headers, statuses) => {
  const { server, got } = await recordingServer();
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  expect(statuses).toContain(statusOf(await say(proxy.port, get("http://a.example.com/", headers))));
  expect(statusOf(await say(proxy.port, get(`http://a.example.com/${"x".repeat(20_000)}`)))).toBe(431);
  expect(got).toEqual([]);
  expect(await proxy.recorded()).toMatchObject(new Array(2).fill({ allowed: false, reason: expect.any(String) }));
});

test("whoever goes on sending after it was refused gets to read why, and is not heard for long", async () => {
  const proxy = await runProxy(outside(await webServer(), NAMES), ["a.example.com"]);
  const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  const noise = Buffer.alloc(65_536, "noise ");
  let reply = "";
  const over = new Promise<void>((resolve) => {
    socket.on("error", () => {});
    socket.once("close", () => resolve());
    socket.on("data", (chunk) => {
      reply += chunk.toString();
    });
  });
  const send = () => {
    if (!socket.destroyed) socket.write(noise, () => setImmediate(send));
  };
  send();
  await over;
  expect(statusOf(reply)).toBe(400);
  expect(await proxy.recorded()).toHaveLength(1);
});

test("all headers that fit are passed on", async () => {
  const { server, got } = await recordingServer();
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  await say(proxy.port, get("http://a.example.com/", ...new Array<string>(498).fill("X: y")));
  expect(got[0]?.match(/X: y/g)).toHaveLength(498);
});

test("connections beyond the number are closed unheard and recorded, and those before them go on", async () => {
  const proxy = await runProxy(outside(await webServer(), NAMES), ["a.example.com"], { limits: { connections: 8 } });
  const sockets = Array.from({ length: 300 }, () => connect(proxy.port, "127.0.0.1"));
  let open = sockets.length;
  const others = new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on("error", () => {});
      socket.once("close", () => {
        open -= 1;
        if (open === 8) resolve();
      });
      socket.resume();
    }
  });
  await others;
  const [first] = sockets.filter((socket) => !socket.destroyed) as [Socket];
  const heard = hear(first);
  first.write(get("http://a.example.com/"));
  expect(statusOf(await heard)).toBe(200);
  for (const socket of sockets) socket.destroy();
  const refused = (await proxy.recorded()).filter(({ allowed }) => !allowed);
  expect(refused).toHaveLength(292);
  expect(refused[0]).toMatchObject({ method: "", host: "", port: null, reason: "more than 8 connections at once" });
});

test.each(["", "GET http://a.example.com/ HTTP/1.1\r\nHost: a.exa", "\r\n"])(
  "%j and nothing more is not waited for",
  async (begun) => {
    const proxy = await runProxy(outside(await webServer(), NAMES), ["a.example.com"], { limits: { headersMs: 100 } });
    expect(statusOf(await say(proxy.port, begun))).toBe(408);
    expect(await proxy.recorded()).toMatchObject([{ allowed: false, reason: "no request in time" }]);
  },
);

test("a body that stops coming ends with the silence", async () => {
  const { server } = await recordingServer("");
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"], { limits: { idleMs: 500 } });
  const head = "POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 100\r\n\r\n";
  expect(await say(proxy.port, `${head}half`)).toBe("");
  expect(await proxy.recorded()).toMatchObject([{ allowed: true, reason: "the connection was broken off" }]);
});

test("who leaves while the host is sought leaves nothing behind", async () => {
  const world = outside(await webServer(), NAMES);
  const seeking: Socket[] = [];
  const sought = new Promise<void>((resolve) => {
    world.network.connect = () => {
      seeking.push(new Socket());
      resolve();
      return seeking[0] as Socket;
    };
  });
  const proxy = await runProxy(world, ["a.example.com"]);
  const record = proxy.next();
  const client = connect(proxy.port, "127.0.0.1").on("error", () => {});
  client.write(connectTo("a.example.com:443"));
  await sought;
  client.resetAndDestroy();
  expect(await record).toMatchObject({
    allowed: true,
    address: null,
    reason: "the sandbox left before it was reached",
  });
  expect(seeking[0]?.destroyed).toBe(true);
});

test("closing ends what is under way, on both sides, and all of it is recorded", async () => {
  const far: Socket[] = [];
  const server = await plainServer((socket) => {
    far.push(socket);
    socket.resume();
    socket.once("end", () => socket.end());
  });
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"]);
  const send = (text: string) => {
    const socket = connect(proxy.port, "127.0.0.1");
    onTestFinished(() => {
      socket.destroy();
    });
    socket.write(text);
    return socket;
  };
  const tunnel = send(connectTo("a.example.com:443"));
  await once(tunnel, "data");
  const clients = [tunnel, send(get("http://a.example.com/")), send("GET http://a.ex")];
  const heard = clients.map(hear);
  while (far.length < 2) await once(server, "connection");
  const gone = far.map((socket) => once(socket, "close"));
  await proxy.close();
  await Promise.all([...heard, ...gone]);
  await expect(say(proxy.port, get("http://a.example.com/"))).resolves.toBe("");
  expect(await proxy.recorded()).toMatchObject([{ method: "CONNECT" }, { method: "GET" }]);
});

test("requests of one millisecond are told in the order of asking, not of ending", () => {
  const log = new RequestLog();
  const request = { method: "GET", port: 80, address: null, reason: null, bytesUp: 0, bytesDown: 0, durationMs: 0 };
  const time = "2026-01-01T00:00:00.000Z";
  const places = ["first", "second", "third"].map((host) => ({ host, place: log.ask() }));
  for (const { host, place } of places.reverse())
    log.add({ ...request, time, host, allowed: host !== "second" }, place);
  expect(log.all().map(({ host }) => host)).toEqual(["first", "second", "third"]);
});

test("refused requests without number do not push out those that were allowed", async () => {
  const proxy = await runProxy(outside(await webServer(), NAMES), ["a.example.com"]);
  const refused = {
    method: "GET",
    host: "evil.test",
    port: 80,
    address: null,
    allowed: false,
    reason: "no",
    bytesUp: 0,
  };
  const time = "2026-01-01T00:00:00.000Z";
  for (let index = 0; index < KEPT_REQUESTS + 500; index++)
    proxy.log.add({ ...refused, time, bytesDown: 0, durationMs: 0 });
  await say(proxy.port, get("http://a.example.com/"));
  expect(await proxy.recorded()).toHaveLength(KEPT_REQUESTS + 1);
  expect((await proxy.recorded()).at(-1)).toMatchObject({ host: "a.example.com", allowed: true });
  expect(proxy.log.dropped()).toEqual({ allowed: 0, refused: 500 });
});

test("every byte to and from the outside is paid for, whoever asks and however", async () => {
  class CountingBucket extends TokenBucket {
    taken = 0;
    override take(bytes: number): number {
      this.taken += bytes;
      return super.take(bytes);
    }
  }
  const bucket = new CountingBucket(1_000_000_000);
  const body = "0123456789".repeat(30_000);
  const server = await webServer((request, response) => {
    request.resume();
    request.once("end", () => response.end(body));
  });
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"], { bucket });
  const post = `Host: a.example.com\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const [plain, tunnelled] = await Promise.all([
    say(proxy.port, `POST http://a.example.com/ HTTP/1.1\r\n${post}`),
    say(proxy.port, `${connectTo("a.example.com:443")}POST / HTTP/1.1\r\n${post}`),
  ]);
  expect(plain.endsWith(body)).toBe(true);
  expect(tunnelled.endsWith(body)).toBe(true);
  const bytes = (await proxy.recorded()).map(({ bytesUp, bytesDown }) => bytesUp + bytesDown);
  expect(bytes).toHaveLength(2);
  expect(bucket.taken).toBe(bytes.reduce((sum, each) => sum + each, 0));
  expect(Math.min(...bytes)).toBeGreaterThan(2 * body.length);
});

const PIECES = [
  ..."GET POST CONNECT HEAD PRI OPTIONS SMUGGLE".split(" "),
  ...[
    " ",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "\0",
    ":",
    ",",
    "/",
    "*",
    "@",
    "#",
    "%",
    "\\",
    "[",
    "]",
    "\xff",
    "\r\n\r\n",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/9",
  ],
  ...[
    "http://",
    "https://",
    "a.example.com",
    "a.example.com:443",
    "evil.test",
    "127.0.0.1",
    "[::1]",
    "0x7f.1",
    "169.254.169.254:80",
  ],
  ...[
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "chunked",
    "Connection",
    "Upgrade",
    "Expect",
    "100-continue",
    "close",
    "keep-alive",
  ],
  ...["0", "3", "-1", "18446744073709551616", "5\r\nhello\r\n", "0\r\n\r\n", "x".repeat(5000)],
];

test("whatever bytes come, nothing but the allowed host is reached, and the proxy goes on", async () => {
  const { server } = await recordingServer();
  const world = outside(server, { ...NAMES, "evil.test": [PUBLIC] });
  const proxy = await runProxy(world, ["a.example.com"], {
    limits: { headersMs: 1000, idleMs: 1000, halfOpenMs: 200 },
  });
  const wellFormed = fc.constantFrom(
    get("http://a.example.com/"),
    connectTo("a.example.com:443"),
    get("http://evil.test/"),
  );
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((parts) => parts.join(""));
  const mutated = fc
    .tuple(wellFormed, fc.nat(), fc.nat({ max: 10 }), fc.constantFrom(...PIECES))
    .map(([text, at, cut, piece]) => text.slice(0, at % text.length) + piece + text.slice((at % text.length) + cut));
  const message = fc
    .array(fc.oneof(wellFormed, pieces, mutated, mutated), { minLength: 1, maxLength: 3 })
    .map((all) => all.join(""));
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 8 }), async (messages) => {
      await Promise.all(
        messages.map(async (text) => {
          const socket = connect({ port: proxy.port, host: "127.0.0.1" });
          const heard = hear(socket);
          socket.end(text, "latin1");
          await heard;
        }),
      );
      return world.connected.every((each) => each === `${PUBLIC}:80` || each === `${PUBLIC}:443`);
    }),
    { numRuns: 150 },
  );
  expect(world.resolved.every((name) => name === "a.example.com")).toBe(true);
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(200);
});

test("whatever a host answers, the proxy goes on", async () => {
  const answers: string[] = [];
  const server = await plainServer((socket) => {
    socket.once("data", () => socket.end(answers.shift() ?? "", "latin1"));
    socket.resume();
  });
  const proxy = await runProxy(outside(server, NAMES), ["a.example.com"], {
    limits: { idleMs: 1000, headersMs: 1000 },
  });
  const good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const answer = fc.oneof(
    fc
      .array(fc.constantFrom(...PIECES, "HTTP/1.1 200 OK", "HTTP/1.1 101 x", "HTTP/1.1 100 Continue\r\n\r\n"), {
        maxLength: 20,
      })
      .map((all) => all.join("")),
    fc
      .tuple(fc.nat(), fc.constantFrom(...PIECES))
      .map(([at, piece]) => good.slice(0, at % good.length) + piece + good.slice(at % good.length)),
  );
  await fc.assert(
    fc.asyncProperty(
      answer,
      fc.constantFrom(get("http://a.example.com/"), `${connectTo("a.example.com:443")}x`),
      async (text, request) => {
        answers.splice(0, answers.length, text);
        await say(proxy.port, request);
      },
    ),
    { numRuns: 200 },
  );
  answers.splice(0, answers.length, good);
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(200);
});
