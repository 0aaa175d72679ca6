import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import path from "node:path";
import { limitBandwidth } from "../../src/podman/bandwidth.js";
import { has } from "../../src/podman/capabilities.js";
import { execInContainer } from "../../src/podman/exec-in-container.js";
import { requireIdleProgram } from "../../src/podman/idle-program.js";
import { listContainers } from "../../src/podman/list-containers.js";
import { createNetwork, removeNetwork } from "../../src/podman/network.js";
import { pauseContainer } from "../../src/podman/pause-container.js";
import type { ContainerPlan, IdleCommand } from "../../src/podman/plan-container.js";
import { probeHost } from "../../src/podman/probe-host.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { seccompProfile } from "../../src/podman/seccomp-profile.js";
import { skeletonRoot } from "../../src/podman/skeleton-root.js";
import { type RunningContainer, startContainer } from "../../src/podman/start-container.js";
import { stopContainer } from "../../src/podman/stop-container.js";
import { mountTmpfs, unmountTmpfs } from "../../src/podman/tmpfs.js";
import { transfer } from "./transfer.js";

// `rootless-program.mjs FOLDER`: what an ordinary user has of a sandbox, as one line of JSON.
const base = process.argv[2] ?? "";
const { env } = process;
const MIB = 1024 * 1024;
const USER = { uid: 1000, gid: 1000 };
const BYTES = 1_000_000;
const RATE = 8_000_000;
const cacheDir = path.join(base, "cache");
const folder = path.join(base, "sandbox");
const host = await probeHost({ env, cacheDir, tempDir: path.join(base, "temp") });
const skeleton = await skeletonRoot(cacheDir, USER);
for (const name of ["", "lower", "upper", "work"]) mkdirSync(path.join(folder, name));
symlinkSync(skeleton.path, path.join(folder, "root"));
writeFileSync(path.join(folder, "lower", "a.txt"), "from the version\n");
writeFileSync(path.join(folder, "seccomp.json"), JSON.stringify(seccompProfile()));

type Plan = ContainerPlan & { command: IdleCommand };
let count = 0;

/** Starts a container, gives it to `use` with what executes a script in it, and removes it. */
async function inSandbox<Result>(
  more: Partial<Plan>,
  use: (sh: (script: string, timeoutMs?: number) => Promise<string>, container: RunningContainer) => Promise<Result>,
): Promise<Result> {
  const layers = ["lower", "upper", "work"].map((name) => path.join(folder, name)) as [string, string, string];
  const plan: Plan = {
    name: `kai-rootless-${process.pid}-${++count}`,
    labels: { "kai.test": `rootless-${process.pid}` },
    root: { ...skeleton, path: path.join(folder, "root") },
    app: { lower: layers[0], upper: layers[1], work: layers[2] },
    user: USER,
    security: {
      seccompProfile: path.join(folder, "seccomp.json"),
      apparmor: true,
      selinux: true,
      readOnlyRoot: true,
      noNewPrivileges: true,
      capabilities: [],
    },
    limits: { cpus: 1, memoryBytes: 128 * MIB, pids: 64, seconds: 0 },
    env: {},
    cgroupParent: undefined,
    command: { init: requireIdleProgram(env), pidFile: path.join(folder, "pid") },
    ...more,
  };
  try {
    const container = await startContainer(plan, host, { env, folder });
    const sh = async (script: string, timeoutMs?: number) => {
      const request = { id: `exec-${++count}`, command: ["/bin/sh", "-c", script] } as const;
      const printed = { stdout: "", stderr: "" };
      const onChunk = (stream: keyof typeof printed, chunk: Buffer) => {
        printed[stream] += chunk.toString();
        return undefined;
      };
      const { timedOut } = await execInContainer(container, request, { env, onChunk, timeoutMs });
      return `${printed.stdout}${printed.stderr}${timedOut ? "out of time" : ""}`;
    };
    return await use(sh, container);
  } finally {
    await removeContainer(plan.name, env);
  }
}

const usual = await inSandbox({}, async (sh, container) => ({
  files: await sh("id -u; cat a.txt; echo new > b.txt; cat b.txt"),
  owner: readdirSync(path.join(folder, "upper")),
  namespaces: (await sh("readlink /proc/self/ns/*")).trim().split("\n"),
  ended: await sh("setsid env -i sleep 1001 & (sleep 1002 &); echo begun; wait", 3000),
  left: await sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"),
  paused: await pauseContainer(container.name, env),
  stopped: await stopContainer(container.name, 10_000, env).then(() => "stopped"),
}));

const memory = path.join(folder, "memory");
const seen = await mountTmpfs(memory, 8 * MIB, host.rootless, env);
for (const name of ["upper", "work"]) mkdirSync(path.join(seen, name));
const [upper, work] = [path.join(memory, "upper"), path.join(memory, "work")];
const inMemory = await inSandbox({ app: { lower: path.join(folder, "lower"), upper, work } }, async (sh) => ({
  held: Number(await sh("head -c 20000000 /dev/zero 2>/dev/null > big; stat -c %s big")),
  files: readdirSync(path.join(seen, "upper")),
}));
await unmountTmpfs(memory, host.rootless, env);

/** This host, as a sandbox on a bridge sees it. */
const outside = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4");

const network = `kai-rootless-${process.pid}`;
await createNetwork({ name: network, labels: {}, internet: true, subnet: null }, env);
const bridged = await inSandbox({ network: { kind: "bridge", name: network } }, async (sh, container) => ({
  unlimited: await limitBandwidth(container, RATE, host.rootless, env),
  seconds: await transfer(BYTES, outside?.address ?? "", (script) => sh(`/usr/bin/python3 -c '${script}'`)),
}));
await removeNetwork(network, env);

const left = await listContainers(`kai.test=rootless-${process.pid}`, env);
process.stdout.write(
  JSON.stringify({ rootless: host.rootless, pids: has(host, "pids"), usual, inMemory, bridged, left }),
);
