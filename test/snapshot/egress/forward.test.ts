import { once } from "node:events";
import { Agent, request as httpRequest } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { outside, PUBLIC, PUBLIC_SIX } from "./outside.js";
import { get, plainServer, recordingServer, runProxy, say, statusOf, webServer } from "./proxy-bench.js";

test("an allowed host is asked by its checked address, and recorded without its path", async () => {
  const { server, got } = await recordingServer();
  const world = outside(server, { "api.example.com": [PUBLIC] });
  const proxy = await runProxy(world, ["api.example.com"]);
  const reply = await say(
    proxy.port,
    get("http://api.example.com/secret?key=1", "X-Kept: 1", "Proxy-Authorization: Basic eA=="),
  );
  expect(reply).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\n[\s\S]*\r\n\r\nok$/);
  expect(got).toEqual([
    "GET /secret?key=1 HTTP/1.1\r\nHost: api.example.com\r\nX-Kept: 1\r\nConnection: close\r\n\r\n",
  ]);
  expect(world.connected).toEqual([`${PUBLIC}:80`]);
  expect(await proxy.recorded()).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      method: "GET",
      host: "api.example.com",
      port: 80,
      address: PUBLIC,
      allowed: true,
      reason: null,
      bytesUp: got[0]?.length,
      bytesDown: 40,
      durationMs: expect.any(Number),
    },
  ]);
  expect(JSON.stringify(await proxy.recorded())).not.toContain("secret");
});

test("one connection of a client asks one host after the other, each is judged by itself", async () => {
  const world = outside(await webServer(), { "a.example.com": [PUBLIC], "b.example.com": [PUBLIC_SIX] });
  const proxy = await runProxy(world, ["*.example.com"]);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ask = async (host: string, body: string) => {
    const asked = httpRequest({
      port: proxy.port,
      agent,
      method: "POST",
      path: `http://${host}/`,
      headers: { Host: host },
    });
    asked.end(body);
    const [answer] = await once(asked, "response");
    answer.resume();
    await once(answer, "end");
    return [answer.statusCode, asked.reusedSocket];
  };
  expect(await ask("a.example.com", "one")).toEqual([200, false]);
  expect(await ask("b.example.com", "two")).toEqual([200, true]);
  expect(await ask("evil.test", "three")).toEqual([403, true]);
  expect(await ask("a.example.com", "four")).toEqual([200, false]);
  expect(world.connected).toEqual(
    [`${PUBLIC}:80`, `[${PUBLIC_SIX}]:80`, `${PUBLIC}:80`].map((each) => each.replace(/[[\]]/g, "")),
  );
});

test("bodies of any size pass both ways, with and without a length", async () => {
  const server = await webServer((request, response) => {
    response.setHeader("X-Length", request.headers["content-length"] ?? "none");
    request.pipe(response);
  });
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  const body = Buffer.alloc(3_000_000, "0123456789");
  for (const headers of [{ "Content-Length": body.length }, { "Transfer-Encoding": "chunked" }]) {
    const asked = httpRequest({
      port: proxy.port,
      method: "PUT",
      path: "http://a.example.com/",
      headers: { Host: "a.example.com", ...headers },
    });
    asked.end(body);
    const [answer] = await once(asked, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(body)).toBe(true);
    expect(answer.headers["x-length"]).toBe("Content-Length" in headers ? String(body.length) : "none");
  }
});

test("a redirect is an answer like any other: where it leads is asked, and refused, by itself", async () => {
  const server = await webServer((_, response) => response.writeHead(302, { Location: "http://evil.test/" }).end());
  const world = outside(server, { "a.example.com": [PUBLIC], "evil.test": [PUBLIC] });
  const proxy = await runProxy(world, ["a.example.com"]);
  const reply = await say(proxy.port, get("http://a.example.com/"));
  expect(reply).toContain("Location: http://evil.test/");
  expect(statusOf(await say(proxy.port, get("http://evil.test/")))).toBe(403);
  expect(world.resolved).toEqual(["a.example.com"]);
  expect((await proxy.recorded()).map(({ host, allowed }) => [host, allowed])).toEqual([
    ["a.example.com", true],
    ["evil.test", false],
  ]);
});

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: other.test\r\n\r\n";
const chunk = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`;

test.each(["GET", "HEAD", "DELETE", "OPTIONS", "POST", "PATCH"])("the body of a %s stays a body", async (method) => {
  const { server, got } = await recordingServer();
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  const request = `${method} http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`;
  await say(proxy.port, request);
  expect(got).toEqual([
    `${method} / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}`,
  ]);
});

const smuggling = {
  "Content-Length and Transfer-Encoding": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  "Transfer-Encoding and Content-Length": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunk}`,
  "two lengths": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 1\r\nContent-Length: 50\r\n\r\n${smuggled}`,
  "a length with a sign": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: +3\r\n\r\nabc`,
  "an encoding that is not the last": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked, identity\r\n\r\n${chunk}`,
  "another encoding": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunk}`,
  "two encodings": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
  "a folded header": `GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nX-Folded: a\r\n Transfer-Encoding: chunked\r\n\r\n`,
  "a folded encoding": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding:\r\n chunked\r\n\r\n${chunk}`,
  "a blank before the colon": `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding : chunked\r\n\r\n${chunk}`,
  "a header that begins with a blank": `POST http://a.example.com/ HTTP/1.1\r\n Host: a.example.com\r\n\r\n`,
  "line feeds alone": `GET http://a.example.com/ HTTP/1.1\nHost: a.example.com\n\n`,
  "a carriage return in a value": `GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nX: a\rHost: b\r\n\r\n`,
  "a NUL": `GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nX: a\0b\r\n\r\n`,
  "another host in the Host header": `GET http://a.example.com/ HTTP/1.1\r\nHost: other.test\r\n\r\n`,
  "two Host headers": `GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nHost: other.test\r\n\r\n`,
  "a path alone": `GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n`,
  "a URL of TLS": `GET https://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n`,
  "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "SOCKS 5": "\x05\x01\x00\x05\x01\x00\x03\x0da.example.com\x00\x50",
  TLS: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  "no such method": "SMUGGLE http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n",
};

test.each(Object.entries(smuggling))("%s is refused, recorded, and nothing of it leaves", async (_, request) => {
  const { server, got } = await recordingServer();
  const world = outside(server, { "a.example.com": [PUBLIC] });
  const proxy = await runProxy(world, ["a.example.com"]);
  const reply = await say(proxy.port, request);
  expect([400, 501]).toContain(statusOf(reply));
  expect(await proxy.recorded()).toMatchObject([{ reason: expect.any(String) }]);
  expect(got.join("")).not.toContain("smuggled");
});

test("a body that is not what it says ends both connections", async () => {
  const { server } = await recordingServer();
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  const head = "POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n";
  await say(proxy.port, `${head}3\r\nabcdef\r\n0\r\n\r\n`);
  expect(await proxy.recorded()).toMatchObject([{ reason: expect.stringContaining("HPE_") }]);
});

test("a request before the one before it was answered is refused, also behind a tunnel's request", async () => {
  const server = await webServer((_, response) => {
    response.write("slow");
    setImmediate(() => response.end());
  });
  const world = outside(server, { "a.example.com": [PUBLIC] });
  const proxy = await runProxy(world, ["a.example.com"]);
  const one = "GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n";
  expect((await say(proxy.port, one.repeat(50))).match(/HTTP\/1\.1 \d+/g)?.slice(0, 2)).toEqual([
    "HTTP/1.1 200",
    "HTTP/1.1 400",
  ]);
  await say(proxy.port, `${one}CONNECT a.example.com:443 HTTP/1.1\r\n\r\n`);
  await proxy.close();
  expect(world.connected).toEqual([`${PUBLIC}:80`, `${PUBLIC}:80`]);
});

test("an upgrade is not asked for: a tunnel does that", async () => {
  const { server, got } = await recordingServer();
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"];
  await say(
    proxy.port,
    `GET http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n${upgrade.join("\r\n")}\r\n\r\n`.replace(
      "Connection: Upgrade",
      "Connection: Upgrade, close",
    ),
  );
  expect(got[0]).not.toMatch(/upgrade/i);
});

test("an expectation is answered by the proxy", async () => {
  const { server, got } = await recordingServer();
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  for (const expectation of ["100-continue", "something else"]) {
    const reply = await say(
      proxy.port,
      `POST http://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\nConnection: close\r\nExpect: ${expectation}\r\nContent-Length: 3\r\n\r\nabc`,
    );
    expect(reply).toContain("200 OK");
  }
  expect(got.join("")).not.toContain("Expect");
});

const broken = {
  "no HTTP": "SSH-2.0-OpenSSH_9.2\r\n",
  "an upgrade that nobody asked for": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
  "headers without end": `HTTP/1.1 200 OK\r\n${"X-Filler: 0123456789012345678901234567890123456789\r\n".repeat(2000)}`,
  "a status out of range": "HTTP/1.1 042 Odd\r\n\r\n",
  "a length and an encoding": "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "a NUL in a header": "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
};

test.each(Object.entries(broken))("a host that answers with %s is a bad gateway", async (_, answer) => {
  const { server } = await recordingServer(answer);
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  expect(statusOf(await say(proxy.port, get("http://a.example.com/")))).toBe(502);
  expect(await proxy.recorded()).toMatchObject([{ allowed: true, reason: expect.stringContaining("broke off") }]);
});

test("an answer that breaks off is not made whole", async () => {
  const server = await plainServer((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"));
  });
  const proxy = await runProxy(outside(server, { "a.example.com": [PUBLIC] }), ["a.example.com"]);
  const asked = httpRequest({
    port: proxy.port,
    path: "http://a.example.com/",
    headers: { Host: "a.example.com" },
  }).end();
  const [answer] = await once(asked, "response");
  answer.resume();
  await expect(once(answer, "end")).rejects.toMatchObject({ code: "ECONNRESET" });
  expect(await proxy.recorded()).toMatchObject([{ allowed: true, reason: expect.stringContaining("broke off") }]);
});
