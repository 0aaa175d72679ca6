import { readFileSync, readlinkSync, statSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Namespace } from "../../src/podman/plan-container.js";
import { ownerOutside } from "../../src/podman/user-mapping.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox, USER } from "./sandbox.js";

const cache = sharedCache();
/** Of each namespace of kai.yaml the file in /proc/self/ns. */
const FILES: Record<Namespace, string> = {
  pid: "pid",
  mount: "mnt",
  network: "net",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
};
const ALL = Object.keys(FILES) as Namespace[];

/** Which namespaces are a sandbox's own, as what runs in it sees them. */
async function ownNamespaces(namespaces: readonly Namespace[] | undefined): Promise<Namespace[]> {
  const { sh } = await idleSandbox(cache, namespaces === undefined ? {} : { namespaces });
  const { stdout, stderr } = await sh("readlink /proc/self/ns/*");
  const inside = stdout.toString().trim().split("\n");
  expect(stderr.toString()).toBe("");
  return ALL.filter((name) => !inside.includes(readlinkSync(`/proc/self/ns/${FILES[name]}`)));
}

/** Rootless there is always a user namespace. */
const andUser = (...names: Namespace[]): Namespace[] =>
  ALL.filter((name) => names.includes(name) || (name === "user" && process.getuid?.() !== 0));

test("without a word all but the user's are its own", async () => {
  expect(await ownNamespaces(undefined)).toEqual(andUser("pid", "mount", "network", "ipc", "uts", "cgroup"));
});

test("with all seven, all seven", async () => {
  expect(await ownNamespaces(ALL)).toEqual(ALL);
});

test("with none, those of mounts and network", async () => {
  expect(await ownNamespaces([])).toEqual(andUser("mount", "network"));
});

test.each(["pid", "ipc", "uts", "cgroup", "user"] as const)("of %s alone", async (name) => {
  expect(await ownNamespaces([name])).toEqual(andUser(name, "mount", "network"));
});

test("in a user namespace of root's nobody inside is anybody outside, and the files are the sandbox's user's", async () => {
  const { sh, folder } = await idleSandbox(cache, { namespaces: ALL });
  const { stdout } = await sh(
    "cat /proc/self/uid_map; id -u; echo new > /app/a.txt; cat /app/a.txt; stat -c %u /app/a.txt /etc",
  );
  const [map = "", ...rest] = stdout.toString().trim().split("\n");
  expect(rest).toEqual(["1000", "new", "1000", "0"]);
  const [inside, outside, count] = map.trim().split(/ +/).map(Number);
  expect({ inside, count: Number(count) > 1000 }).toEqual({ inside: 0, count: true });
  const owner = ownerOutside(USER, ALL);
  expect(statSync(path.join(folder, "upper", "a.txt"))).toMatchObject(owner);
  if (process.getuid?.() !== 0) return;
  expect(owner.uid).toBe(Number(outside) + 1000);
  expect(readFileSync("/etc/passwd", "utf8")).not.toContain(`:${owner.uid}:`);
});
