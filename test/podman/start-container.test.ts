import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { requireIdleProgram } from "../../src/podman/idle-program.js";
import { removeLeftovers } from "../../src/podman/leftovers.js";
import { listContainers } from "../../src/podman/list-containers.js";
import { findLocalImage } from "../../src/podman/local-image.js";
import type { Namespace } from "../../src/podman/plan-container.js";
import { startContainer } from "../../src/podman/start-container.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { bundle } from "../support/bundle.js";
import { scratch } from "../support/scratch.js";
import { idlePlan, idleSandbox } from "./sandbox.js";

const cache = sharedCache();
const ALL: Namespace[] = ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"];

/** An image made of a folder with `programs` at its top. */
async function image(...programs: string[]): Promise<{ kind: "image"; id: string }> {
  const { dir, env } = scratch();
  const root = path.join(dir, "root");
  mkdirSync(root);
  for (const program of programs) cpSync(program, path.join(root, path.basename(program)), { dereference: true });
  const name = `localhost/kai-idle-${process.pid}:${programs.length}`;
  execFileSync("sh", ["-c", `tar -C '${root}' -cf - . | podman import - ${name}`], { env, stdio: "ignore" });
  onTestFinished(() => void execFileSync("podman", ["rmi", "--force", name], { env, stdio: "ignore" }));
  return { kind: "image", id: (await findLocalImage(name, env)) ?? "" };
}

test.each([["in the usual namespaces", undefined] as const, ["in a user namespace", ALL] as const])(
  "a container idles over an image of one program, %s",
  async (_, namespaces) => {
    const root = await image("/bin/busybox");
    const { sh } = await idleSandbox(cache, { root, ...(namespaces && { namespaces }) });
    const busybox = (...command: string[]) => sh("", { command: ["/busybox", ...command] });
    expect(await busybox("touch", "/app/a")).toMatchObject({ exitCode: 0 });
    expect((await busybox("ls", "/app")).stdout.toString()).toBe("a\n");
    expect(await busybox("touch", "/b")).toMatchObject({ exitCode: 1 });
  },
);

test("and over one that holds no program at all", async () => {
  const { sh } = await idleSandbox(cache, { root: await image() });
  expect(await sh("true")).toMatchObject({ exitCode: 127 });
});

/** Whether a `podman run` of that container is still there, or the fork of `program` that is about to become it. */
const isStarting = (name: string, program: string): boolean =>
  readdirSync("/proc").some((id) => {
    const words = /^\d+$/.test(id) ? readCommand(id).split("\0") : [];
    return words.includes(program) || (words.includes("run") && words.includes(name));
  });

function readCommand(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "latin1");
  } catch {
    return "";
  }
}

test("what podman cannot start is E103 in its words, and leaves nothing", async () => {
  const { host, env, folder, plan } = await idlePlan(cache);
  const broken = { ...plan, mounts: [{ host: "/no/such/folder", inside: "/x" }] };
  await expect(startContainer(broken, host, { env, folder })).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("/no/such/folder"),
  });
  expect(await listContainers(`kai.test=${plan.name}`, env)).toEqual([]);
});

test("an abort while it starts leaves nothing", async () => {
  const { host, env, folder, plan } = await idlePlan(cache);
  const stop = new AbortController();
  const starting = startContainer(plan, host, { env, folder, signal: stop.signal });
  stop.abort(new Error("stopped by the test"));
  await expect(starting).rejects.toThrow("stopped by the test");
  expect(await listContainers(`kai.test=${plan.name}`, env)).toEqual([]);
});

test.each(["starting", "started"])(
  "what a process left that was killed while %s is found by its label",
  async (moment) => {
    const { host, env, folder, plan } = await idlePlan(cache);
    const described = path.join(folder, "plan.json");
    writeFileSync(described, JSON.stringify({ plan, host, options: { env, folder } }));
    const program = await bundle(new URL("start-program.ts", import.meta.url), folder);
    const child = spawn(process.execPath, [program, described], { env, stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let seen = "";
    for await (const chunk of child.stdout) {
      seen += chunk;
      if (seen.split("\n").includes(moment)) break;
    }
    child.kill("SIGKILL");
    await ended;
    // Podman goes on by itself until the container runs.
    while (isStarting(plan.name, program)) await pause(20);
    const made = (await listContainers(`kai.test=${plan.name}`, env)).map(({ name }) => name);
    expect(moment === "starting" || made.length === 1).toBe(true);
    expect((await removeLeftovers(env)).filter((name) => name === plan.name)).toEqual(made);
    expect(await listContainers(`kai.test=${plan.name}`, env)).toEqual([]);
  },
);

test("a machine without catatonit is E117 with its package", async () => {
  expect(() => requireIdleProgram({ PATH: "/nowhere:relative" }, ["/nowhere"])).toThrow(
    expect.objectContaining({
      code: "E117",
      hint: expect.stringContaining("apt-get install -y catatonit"),
    }),
  );
});
