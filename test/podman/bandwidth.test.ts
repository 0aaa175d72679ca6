import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { limitBandwidth } from "../../src/podman/bandwidth.js";
import { createNetwork, removeNetwork } from "../../src/podman/network.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();
const BYTES = 2_000_000;
const RATE = 8_000_000;
/** What a token bucket lets through at once is less than a quarter of it. */
const LEAST_SECONDS = (BYTES * 8 * 0.75) / RATE;

test("a bridge gives no more than its bandwidth, in either direction", async () => {
  const { env } = scratch();
  const name = `kai-band-${process.pid}`;
  onTestFinished(() => removeNetwork(name, env));
  await createNetwork({ name, labels: {}, internet: false, subnet: "10.211.9.0/24" }, env);
  const { sh, container, host } = await idleSandbox(cache, { network: { kind: "bridge", name } });
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(Buffer.alloc(BYTES));
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received === BYTES) socket.end("all");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  onTestFinished(() => void server.close());
  const script = [
    "import socket, time",
    `link = socket.create_connection(("10.211.9.1", ${(server.address() as AddressInfo).port}))`,
    "start, got = time.monotonic(), 0",
    `while got < ${BYTES}: got += len(link.recv(65536))`,
    "print(time.monotonic() - start)",
    "start = time.monotonic()",
    `link.sendall(bytes(${BYTES}))`,
    "link.recv(3)",
    "print(time.monotonic() - start)",
  ].join("\n");
  const seconds = async () =>
    (await sh("", { command: ["/usr/bin/python3", "-c", script] })).stdout.toString().trim().split("\n").map(Number);
  expect(await limitBandwidth(container, RATE, host.rootless, env)).toBeUndefined();
  const [limitedIn = 0, limitedOut = 0] = await seconds();
  expect({ limitedIn: limitedIn > LEAST_SECONDS, limitedOut: limitedOut > LEAST_SECONDS }).toEqual({
    limitedIn: true,
    limitedOut: true,
  });
});

test("without tc it is said that nothing is limited", async () => {
  const { container, host } = await idleSandbox(cache);
  const reason = await limitBandwidth(container, RATE, host.rootless, { PATH: "/nowhere" });
  expect(reason).toContain("nsenter was not found");
  expect(await limitBandwidth(container, RATE, host.rootless, { PATH: process.env["PATH"] })).toContain("eth0");
});
