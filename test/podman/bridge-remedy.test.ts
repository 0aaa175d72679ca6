import { expect, test } from "vitest";
import { bridgeRemedy } from "../../src/podman/bridge-remedy.js";

test.each([
  ['open("/dev/net/tun"): Permission denied', "chmod 666 /dev/net/tun"],
  ["open /dev/net/tun: operation not permitted", "chmod 666 /dev/net/tun"],
  ['open("/dev/net/tun"): No such file or directory', "modprobe tun"],
  ['could not find "netavark" in one of [/usr/libexec/podman]', "apt-get install -y netavark aardvark-dns iptables"],
])("what is in the way of a bridge has the remedy of its own: %s", (words, remedy) => {
  expect(bridgeRemedy(words)).toContain(remedy);
  expect(bridgeRemedy(words)).toContain("network mode none and isolated need no bridge.");
  if (words.includes("tun")) expect(bridgeRemedy(words)).not.toContain("apt-get");
});
