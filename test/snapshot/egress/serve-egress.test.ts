import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { PROXY_LIMITS } from "../../../src/snapshot/egress/egress-proxy.js";
import { type EgressOptions, serveEgress } from "../../../src/snapshot/egress/serve-egress.js";
import { scratch } from "../../support/scratch.js";
import { sharedCache } from "../sandbox.js";
import { EXPECTED, summaryOf } from "./expected.js";
import { type Outside, outside, PUBLIC } from "./outside.js";
import { plainServer, webServer } from "./proxy-bench.js";
import { idleSandbox, tryEverything } from "./sandboxed-agent.js";

const cacheDir = sharedCache();

test("an agent reaches the one host that is allowed and nothing else, whatever it tries, and all of it is recorded", async () => {
  const { dir, env } = scratch();
  const tried = await tryEverything({ cacheDir, folder: dir, env });
  expect(tried.seen).toEqual(EXPECTED.seen);
  expect(summaryOf(tried)).toEqual(EXPECTED.summary);
});

/** An idle container, and the proxy in it in front of that outside. */
async function sandboxed(world: Outside) {
  const { dir, env } = scratch();
  const sandbox = await idleSandbox({ cacheDir, folder: dir, env });
  onTestFinished(sandbox.remove);
  const { pid, rootless } = sandbox;
  const serve = async (more: Partial<EgressOptions> = {}) => {
    const options = { pid, rootless, allowedHosts: ["a.example.com"], bandwidth: null, env, ...more };
    const egress = await serveEgress(options, { network: world.network, limits: PROXY_LIMITS, now: () => new Date() });
    onTestFinished(egress.close);
    return egress;
  };
  const python = async (script: string, given: Record<string, string>) => {
    const { stdout, stderr } = await sandbox.exec(["/usr/bin/python3", "-c", script], given);
    return stdout.trim() || stderr.trim().split("\n").at(-1);
  };
  return { sandbox, serve, python };
}

const FETCH =
  "import urllib.request; print(urllib.request.urlopen('http://a.example.com/', timeout=20).read().decode())";
const names = { "a.example.com": [PUBLIC] };

test("each execution has a proxy of its own, which takes another port where one is taken, and its own record", async () => {
  const world = outside(await webServer(), names);
  const { serve, python } = await sandboxed(world);
  const heard: string[] = [];
  const first = await serve({ onRequest: ({ host }) => heard.push(`first ${host}`) });
  const second = await serve({
    allowedHosts: ["b.example.com"],
    onRequest: ({ host }) => heard.push(`second ${host}`),
  });
  expect(first.environment).toMatchObject({
    http_proxy: "http://127.0.0.1:3128",
    HTTPS_PROXY: "http://127.0.0.1:3128",
  });
  expect(second.environment["http_proxy"]).not.toBe(first.environment["http_proxy"]);
  expect(await python(FETCH, first.environment)).toBe("hello /");
  expect(await python(FETCH, second.environment)).toContain("403");
  await first.close();
  expect(await python(FETCH, first.environment)).toContain("refused");
  expect(heard).toEqual(["first a.example.com", "second a.example.com"]);
  expect(first.requests()).toMatchObject([{ allowed: true }]);
  expect(second.requests()).toMatchObject([{ allowed: false }]);
});

const HOLD = `
import os, socket
one = socket.create_connection(("127.0.0.1", 3128))
one.sendall(b"CONNECT a.example.com:443 HTTP/1.1\\r\\n\\r\\n")
one.recv(100)
print("open", flush=True)
one.sendall(b"hello")
one.recv(100)
`;

/** A sandbox with a tunnel to a silent host, and that host's end of it. */
async function withTunnel(more: Partial<EgressOptions> = {}) {
  let reached: (socket: Socket) => void = () => {};
  const far = new Promise<Socket>((resolve) => {
    reached = resolve;
  });
  const server = await plainServer((socket) => {
    socket.once("data", () => reached(socket));
  });
  const { sandbox, serve, python } = await sandboxed(outside(server, names));
  const egress = await serve(more);
  const held = python(HOLD, egress.environment);
  const socket = await far;
  const gone = once(socket, "end");
  socket.resume();
  return { sandbox, egress, gone, held };
}

test("a sandbox that dies takes its connections along, and its proxy", async () => {
  const { sandbox, egress, gone } = await withTunnel();
  await sandbox.remove();
  await gone;
  while (egress.requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(egress.requests()).toMatchObject([{ method: "CONNECT", address: PUBLIC, bytesUp: 5 }]);
});

test("an abort ends all that is under way", async () => {
  const abort = new AbortController();
  const { egress, gone, held } = await withTunnel({ signal: abort.signal });
  abort.abort();
  await gone;
  await held;
  await egress.close();
  expect(egress.requests()).toMatchObject([{ method: "CONNECT", allowed: true }]);
});

test("a list that cannot be read, and a sandbox that has ended, are refused", async () => {
  const world = outside(await webServer(), names);
  const { sandbox, serve } = await sandboxed(world);
  await expect(serve({ allowedHosts: ["http://a.example.com/"] })).rejects.toMatchObject({ code: "E106" });
  await sandbox.remove();
  await expect(serve()).rejects.toMatchObject({ code: "E103" });
});

test("a port that the sandbox holds against the proxy holds nothing", async () => {
  const world = outside(await webServer(), names);
  const { sandbox, serve, python } = await sandboxed(world);
  const squat =
    "import socket, time; s = socket.create_server(('0.0.0.0', 3128), reuse_port=True); open('/tmp/up', 'w'); time.sleep(600)";
  const squatting = sandbox.exec(["/usr/bin/python3", "-c", squat]);
  while ((await sandbox.exec(["/usr/bin/test", "-e", "/tmp/up"])).exitCode !== 0);
  const egress = await serve();
  expect(egress.environment["http_proxy"]).not.toBe("http://127.0.0.1:3128");
  expect(await python(FETCH, egress.environment)).toBe("hello /");
  await sandbox.remove();
  await squatting;
});
