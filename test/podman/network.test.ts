import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { createNetwork, type NetworkRequest, planNetwork, removeNetwork } from "../../src/podman/network.js";
import { runPodman } from "../../src/podman/podman.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();
let networks = 0;

/** A sandbox on a bridge of its own, and a server on this host. */
async function bridged(more: Partial<NetworkRequest> = {}) {
  const { env } = scratch();
  const name = `kai-net-${process.pid}-${++networks}`;
  const request = { name, labels: { "kai.test": name }, internet: false, subnet: null, ...more };
  onTestFinished(() => removeNetwork(name, env));
  await createNetwork(request, env);
  const sandbox = await idleSandbox(cache, { network: { kind: "bridge", name } });
  const server = createHttpServer((_, response) => response.end("from the host"));
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const fetchFrom = (address: string) =>
    sandbox.sh("", {
      command: [
        "/usr/bin/python3",
        "-c",
        "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())",
        `http://${address}:${port}/`,
      ],
    });
  return { ...sandbox, name, fetchFrom };
}

/** An address of this host that is not the bridge's: what stands for the outside. */
function outsideAddress(): string {
  const [address] = Object.entries(networkInterfaces())
    .filter(([name]) => !name.startsWith("podman"))
    .flatMap(([, addresses = []]) => addresses)
    .filter(({ internal, family }) => !internal && family === "IPv4");
  if (address === undefined) throw new Error("This machine has no network at all.");
  return address.address;
}

test("on a bridge host and sandbox reach one another, and nothing beyond", async () => {
  const { sh, fetchFrom } = await bridged({ subnet: "10.211.7.0/28" });
  expect((await fetchFrom("10.211.7.1")).stdout.toString()).toBe("from the host\n");
  const outside = await fetchFrom(outsideAddress());
  expect(outside.stderr.toString()).toContain("Network is unreachable");
  await sh("cd /tmp; echo from the sandbox > index.html; python3 -m http.server 8000 >/dev/null 2>&1 &");
  await expect
    .poll(() => fetch("http://10.211.7.2:8000/index.html").then((answer) => answer.text(), String), { timeout: 20_000 })
    .toBe("from the sandbox\n");
});

test("with allow_internet there is a way out", async () => {
  const { fetchFrom } = await bridged({ internet: true });
  expect((await fetchFrom(outsideAddress())).stdout.toString()).toBe("from the host\n");
});

test("a network is found by its label, and removed once", async () => {
  const { env } = scratch();
  const name = `kai-net-${process.pid}-label`;
  const listed = async () => {
    const args = ["network", "ls", "--filter", `label=kai.test=${name}`, "--format", "{{.Name}}"];
    return (await runPodman(args, { env })).stdout.toString().split("\n").filter(Boolean);
  };
  await createNetwork({ name, labels: { "kai.test": name }, internet: false, subnet: null }, env);
  expect(await listed()).toEqual([name]);
  await removeNetwork(name, env);
  await removeNetwork(name, env);
  expect(await listed()).toEqual([]);
});

test("a subnet that is taken is E103 with both ways out", async () => {
  const { env } = scratch();
  const [first, second] = [1, 2].map((each) => ({
    name: `kai-net-${process.pid}-taken${each}`,
    labels: {},
    internet: false,
    subnet: "10.211.8.0/24",
  })) as [NetworkRequest, NetworkRequest];
  onTestFinished(() => removeNetwork(first.name, env));
  await createNetwork(first, env);
  await expect(createNetwork(second, env)).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("10.211.8.0/24"),
    hint: "Set snapshot_isolation.network.subnet to one that is free, or to null.",
  });
});

test("a subnet's first address is the host's, wherever in it the subnet was written", () => {
  const request: NetworkRequest = { name: "kai-1", labels: { a: "b" }, internet: false, subnet: null };
  expect(planNetwork(request, "10.89.3.77/26").join(" ")).toBe(
    "network create --disable-dns --subnet 10.89.3.77/26 --internal --gateway 10.89.3.65 --label a=b kai-1",
  );
  expect(planNetwork({ ...request, internet: true }, "10.89.3.0/24").join(" ")).toBe(
    "network create --disable-dns --subnet 10.89.3.0/24 --label a=b kai-1",
  );
});
