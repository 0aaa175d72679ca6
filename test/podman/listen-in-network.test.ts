import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listenInNetwork } from "../../src/podman/listen-in-network.js";

const { env } = process;

/** A process in a network namespace of its own, in a user namespace that owns it. */
async function namespace(setUp = "ip link set lo up"): Promise<ChildProcess & { pid: number }> {
  const child = spawn("unshare", [
    "--map-root-user",
    "--net",
    "sh",
    "-c",
    `${setUp} && echo ready && exec sleep infinity`,
  ]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  return child as ChildProcess & { pid: number };
}

/** Runs a program in that namespace. */
const inside = (pid: number, ...command: string[]): string =>
  execFileSync("nsenter", ["-t", String(pid), "-U", "-n", "--preserve-credentials", ...command], { encoding: "utf8" });

async function listen(pid: number) {
  const listener = await listenInNetwork({ pid, rootless: true, port: 3128, env });
  onTestFinished(() => {
    listener.server.close();
  });
  return listener;
}

const children = (): string => readFileSync(`/proc/self/task/${process.pid}/children`, "utf8");

test("what connects inside arrives here, and nothing of ours stays in there", async () => {
  const { pid } = await namespace();
  const before = children();
  const { server, port } = await listen(pid);
  expect(port).toBe(3128);
  expect(children()).toBe(before);
  const client = spawn("nsenter", [
    ...["-t", String(pid), "-U", "-n", "--preserve-credentials", "/usr/bin/python3", "-c"],
    "import socket; print(socket.create_connection(('127.0.0.1', 3128)).recv(100).decode())",
  ]);
  const [connection] = (await once(server, "connection")) as [Socket];
  connection.end("from outside");
  const [heard] = await once(client.stdout, "data");
  expect(String(heard)).toBe("from outside\n");
  expect(inside(pid, "ss", "-Hltn").trim().split("\n")).toEqual([expect.stringContaining("127.0.0.1:3128")]);
});

test("it listens nowhere else", async () => {
  const { pid } = await namespace();
  await listen(pid);
  const here = execFileSync("ss", ["-Hltnp"], { encoding: "utf8" });
  expect(here.split("\n").filter((line) => line.includes(`pid=${process.pid},`))).toEqual([]);
});

test("where the port is taken another one is given", async () => {
  const { pid } = await namespace();
  const [first, second] = [await listen(pid), await listen(pid)];
  expect(first.port).toBe(3128);
  expect(second.port).not.toBe(3128);
  expect(inside(pid, "ss", "-Hltn").trim().split("\n")).toHaveLength(2);
});

test("a network that leads anywhere is refused", async () => {
  const veth =
    "ip link add out type veth peer name in && ip address add 10.9.8.7/24 dev out && ip link set out up && ip link set in up";
  const { pid } = await namespace(`ip link set lo up && ${veth}`);
  await expect(listen(pid)).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("more than a loopback (out"),
  });
});

test("this machine's own network, and a process that is gone, are refused", async () => {
  const own = listenInNetwork({ pid: process.pid, rootless: false, port: 0, env });
  await expect(own).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("no network namespace of its own"),
  });
  const gone = spawn("true");
  await once(gone, "exit");
  const late = listenInNetwork({ pid: gone.pid as number, rootless: false, port: 0, env });
  await expect(late).rejects.toMatchObject({ code: "E103", message: expect.stringContaining("it has ended") });
});

test("a missing nsenter is said", async () => {
  const { pid } = await namespace("true");
  const down = listenInNetwork({ pid, rootless: true, port: 3128, env: { PATH: "/nowhere" } });
  await expect(down).rejects.toMatchObject({ code: "E117" });
});

test("an abort leaves nothing", async () => {
  const { pid } = await namespace();
  const before = children();
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(listenInNetwork({ pid, rootless: true, port: 3128, env, signal: aborted })).rejects.toThrow("enough");
  const abort = new AbortController();
  const listening = listenInNetwork({ pid, rootless: true, port: 3128, env, signal: abort.signal });
  setImmediate(() => abort.abort(new Error("enough")));
  await expect(listening).rejects.toThrow("enough");
  expect(children()).toBe(before);
  expect(inside(pid, "ss", "-Hltn")).toBe("");
});
