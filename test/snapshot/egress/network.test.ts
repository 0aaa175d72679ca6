import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { hostNetwork } from "../../../src/snapshot/egress/network.js";
import { portOf } from "./outside.js";
import { hear, plainServer } from "./proxy-bench.js";

const [A, AAAA] = [1, 28];
const NO_SUCH_NAME = 3;

/** The name and type of the one question of a DNS message, and where it ends. */
function questionOf(message: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  return Buffer.from(
    address.split(":").flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}

/** A name server that knows `names`; it says nothing at all of those that it has as `silence`. */
async function nameServer(names: Record<string, string[] | "silence">) {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message, { port, address }) => {
    const { name, type, end } = questionOf(message);
    asked.push(`${name} ${type === A ? "A" : type === AAAA ? "AAAA" : type}`);
    const known = names[name];
    if (known === "silence") return;
    const answers = (known ?? []).filter((each) => isIPv4(each) === (type === A)).map(bytesOf);
    const head = Buffer.from(message.subarray(0, end));
    head.writeUInt16BE(0x8180 | (known ? 0 : NO_SUCH_NAME), 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const records = answers.map((bytes) =>
      Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]),
    );
    socket.send(Buffer.concat([head, ...records]), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => {
    socket.close();
  });
  return { asked, network: hostNetwork([`127.0.0.1:${socket.address().port}`]) };
}

const NAMES = {
  "both.example.com": ["93.184.216.34", "2606:4700:0:0:0:0:0:1111", "10.0.0.1"],
  "four.example.com": ["93.184.216.34"],
  "six.example.com": ["2606:4700:0:0:0:0:0:1111"],
  "none.example.com": [],
};

test("a name has all its addresses, IPv4 first, and private ones are not hidden from whoever judges them", async () => {
  const { network } = await nameServer(NAMES);
  const { signal } = new AbortController();
  const resolve = (name: string) => network.resolve(name, signal);
  expect(await resolve("both.example.com")).toEqual(["93.184.216.34", "10.0.0.1", "2606:4700::1111"]);
  expect(await resolve("four.example.com")).toEqual(["93.184.216.34"]);
  expect(await resolve("six.example.com")).toEqual(["2606:4700::1111"]);
  await expect(resolve("none.example.com")).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolve("missing.example.com")).rejects.toMatchObject({ code: "ENOTFOUND" });
});

test("a name is asked for as it is: nothing is appended, and no file of this machine answers", async () => {
  const { network, asked } = await nameServer({});
  const { signal } = new AbortController();
  await expect(network.resolve("printer", signal)).rejects.toMatchObject({ code: "ENOTFOUND" });
  expect(asked.sort()).toEqual(["printer A", "printer AAAA"]);
});

test("whoever leaves does not wait for a silent name server", async () => {
  const { network, asked } = await nameServer({ "silent.example.com": "silence" });
  const abort = new AbortController();
  const resolved = network.resolve("silent.example.com", abort.signal);
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await expect(resolved).rejects.toMatchObject({ code: "ECANCELLED" });
});

test("it connects to the very address, and knows this machine's own", async () => {
  const server = await plainServer((socket) => socket.end("here"));
  expect(await hear(hostNetwork().connect("127.0.0.1", portOf(server)))).toBe("here");
  const own = hostNetwork().ownAddresses();
  for (const each of Object.values(networkInterfaces()).flatMap((all) => all ?? []))
    expect(own).toContain(each.address);
});
