import { expect, onTestFinished, test } from "vitest";
import { limitBandwidth } from "../../src/podman/bandwidth.js";
import { createNetwork, removeNetwork } from "../../src/podman/network.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";
import { idleSandbox } from "./sandbox.js";
import { transfer } from "./transfer.js";

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
  const python = async (script: string) =>
    (await sh("", { command: ["/usr/bin/python3", "-c", script] })).stdout.toString();
  expect(await limitBandwidth(container, RATE, host.rootless, env)).toBeUndefined();
  const [limitedIn = 0, limitedOut = 0] = await transfer(BYTES, "10.211.9.1", python);
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
