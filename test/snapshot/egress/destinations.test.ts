import { expect, test } from "vitest";
import { outside, PUBLIC, PUBLIC_SIX } from "./outside.js";
import { connectTo, get, recordingServer, runProxy, say, statusOf, webServer } from "./proxy-bench.js";

const leadingInside = {
  loopback: ["127.0.0.1"],
  "another loopback": ["127.8.8.8"],
  metadata: ["169.254.169.254"],
  "a private address": ["10.1.2.3"],
  "another private address": ["172.31.255.255"],
  "a home network": ["192.168.1.1"],
  "a carrier's network": ["100.64.0.1"],
  "no address": ["0.0.0.0"],
  broadcast: ["255.255.255.255"],
  multicast: ["224.0.0.1"],
  "loopback of IPv6": ["::1"],
  "unspecified of IPv6": ["::"],
  "a unique local address": ["fd00::1"],
  "a link-local address": ["fe80::1"],
  "a private address mapped into IPv6": ["::ffff:10.0.0.1"],
  "the same in hexadecimal": ["::ffff:a00:1"],
  "a compatible address": ["::10.0.0.1"],
  "a private address behind NAT64": ["64:ff9b::10.0.0.1"],
  "a private address in 6to4": ["2002:a00:1::1"],
  "metadata of Azure": ["168.63.129.16"],
  "metadata of AWS in IPv6": ["fd00:ec2::254"],
  "an address of this machine": ["198.41.0.4"],
  "a good and a private address": [PUBLIC, "10.0.0.1"],
  "a private and a good address": ["10.0.0.1", PUBLIC],
  "a good address and loopback of IPv6": [PUBLIC, "::1"],
};

test.each(Object.entries(leadingInside))(
  "an allowed name that leads to %s is refused by either way",
  async (_, addresses) => {
    const world = outside(await webServer(), { "a.example.com": addresses });
    const proxy = await runProxy(world, ["a.example.com", "a.example.com:22"]);
    for (const request of [
      get("http://a.example.com/"),
      connectTo("a.example.com:443"),
      connectTo("a.example.com:22"),
    ]) {
      expect(statusOf(await say(proxy.port, request))).toBe(403);
    }
    await proxy.close();
    expect(world.connected).toEqual([]);
    const reason = expect.stringMatching(/^a\.example\.com leads to \S+, which is /);
    expect(await proxy.recorded()).toMatchObject(new Array(3).fill({ allowed: false, address: null, reason }));
  },
);

test.each([["ENOTFOUND"], ["not an address"]])("a name that cannot be resolved (%s) is said to be so", async (how) => {
  const world = outside(await webServer(), how === "ENOTFOUND" ? {} : { "a.example.com": ["localhost"] });
  const proxy = await runProxy(world, ["a.example.com"]);
  expect(statusOf(await say(proxy.port, connectTo("a.example.com:443")))).toBe(502);
  expect(world.connected).toEqual([]);
  expect(await proxy.recorded()).toMatchObject([
    { allowed: true, reason: expect.stringContaining("could not be resolved") },
  ]);
});

test("a name is asked for once, and what was looked at is what is connected to", async () => {
  const answers = [[PUBLIC], ["127.0.0.1"], [PUBLIC_SIX], ["10.0.0.1"]];
  const world = outside(await webServer(), { "a.example.com": () => answers.shift() ?? [] });
  const proxy = await runProxy(world, ["a.example.com"]);
  const ask = async () => statusOf(await say(proxy.port, get("http://a.example.com/")));
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 403, 200, 403]);
  expect(world.resolved).toHaveLength(4);
  expect(world.connected).toEqual([`${PUBLIC}:80`, `${PUBLIC_SIX}:80`]);
});

test("nothing else is reached: other names, ports, addresses, and names that are written to mislead", async () => {
  const { server } = await recordingServer();
  const world = outside(server, { "a.example.com": [PUBLIC], "evil.test": [PUBLIC], localhost: [PUBLIC] });
  const proxy = await runProxy(world, ["a.example.com", "93.184.216.34:8443", "10.0.0.1:80"]);
  const requests = [
    ...[
      "evil.test:443",
      "a.example.com:22",
      "a.example.com:25",
      "b.a.example.com:443",
      "xa.example.com:443",
      "example.com:443",
    ],
    ...[
      "a.example.com.evil.test:443",
      "localhost:443",
      "93.184.216.34:443",
      "[::1]:443",
      "[::ffff:93.184.216.34]:8443",
    ],
    ...[
      "10.0.0.1:80",
      "127.1:80",
      "0x5db8d822:8443",
      "1572395042:8443",
      "0135.0270.0330.042:8443",
      "a.example.com@evil.test:443",
    ],
  ].map(connectTo);
  const urls = [
    ...[
      "http://evil.test/",
      "http://93.184.216.34/",
      "http://10.0.0.1/",
      "http://[::1]/",
      "http://a.example.com:8080/",
    ],
    ...["http://a.example.com.evil.test/", "http://a.example.com@evil.test/", "http://evil.test#a.example.com/"],
    ...["http://evil.test\\a.example.com/", "http://a.example.com\\@evil.test/", "http://evil.test?a.example.com"],
  ].map((url) => `GET ${url} HTTP/1.1\r\nConnection: close\r\n\r\n`);
  for (const request of [...requests, ...urls]) expect([400, 403]).toContain(statusOf(await say(proxy.port, request)));
  await proxy.close();
  expect(world.connected).toEqual([]);
  expect(await proxy.recorded()).toHaveLength(requests.length + urls.length);
  expect((await proxy.recorded()).every(({ allowed, reason }) => !allowed && reason !== null)).toBe(true);
});

test("what is allowed may be written as DNS has it", async () => {
  const { server } = await recordingServer();
  const world = outside(server, { "a.example.com": [PUBLIC], "xn--bcher-kva.example": [PUBLIC] });
  const proxy = await runProxy(world, [
    "A.example.com",
    "bücher.example",
    "93.184.216.34:8443",
    "[2606:4700::1111]:8443",
  ]);
  for (const url of [
    "http://A.EXAMPLE.COM./",
    "http://a.example.com:80/",
    "http://xn--bcher-kva.example/",
    "http://93.184.216.34:8443/",
  ]) {
    expect(statusOf(await say(proxy.port, get(url)))).toBe(200);
  }
  expect(statusOf(await say(proxy.port, get("http://[2606:4700:0:0::1111]:8443/")))).toBe(200);
  expect(world.resolved).toEqual(["a.example.com", "a.example.com", "xn--bcher-kva.example"]);
});
