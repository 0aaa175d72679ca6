import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { version } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { HostCapabilities } from "../../src/podman/capabilities.js";
import { createNetwork, removeNetwork } from "../../src/podman/network.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { requireVmRuntime, vmFeature } from "../../src/podman/vm-runtime.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { scratch } from "../support/scratch.js";
import { idlePlan, runningSandbox } from "./sandbox.js";

const cache = sharedCache();
const HOST: HostCapabilities = {
  podman: "4.3.1",
  kernel: "6.1",
  rootless: false,
  cgroups: "v2",
  cgroupManager: "cgroupfs",
  runtime: "runc",
  limits: { nofile: 1024, nproc: 1024 },
  features: [{ name: "pids", state: "ok", detail: "the limit bites" }],
};

/** An environment in which `programs` are installed. */
function withPrograms(...programs: string[]): { dir: string; env: NodeJS.ProcessEnv } {
  const { dir } = scratch();
  const bin = path.join(dir, "bin");
  mkdirSync(bin);
  for (const name of programs) writeFileSync(path.join(bin, name), "", { mode: 0o755 });
  return { dir: bin, env: { PATH: bin } };
}

test("gVisor is no virtual machine, and is not said to be; its threads are not what is limited", async () => {
  const { dir, env } = withPrograms("runsc");
  expect(requireVmRuntime(HOST, env)).toMatchObject({
    runtime: path.join(dir, "runsc"),
    ownKernel: true,
    features: [{ name: "pids", state: "unenforced" }],
  });
  expect(vmFeature(env)).toMatchObject({ state: "ok", detail: expect.stringContaining("no virtual machine") });
});

test("a virtual machine goes first, by the name under which it was found", async () => {
  const { dir, env } = withPrograms("runsc", "crun");
  symlinkSync("crun", path.join(dir, "krun"));
  expect(requireVmRuntime(HOST, env)).toMatchObject({
    runtime: path.join(dir, "krun"),
    features: [{ name: "pids", state: "ok" }],
  });
});

test("a machine without one refuses and says what to install, an ordinary user is refused", async () => {
  const { env } = withPrograms("runsc");
  expect(() => requireVmRuntime({ ...HOST, rootless: true }, env)).toThrow(
    expect.objectContaining({
      code: "E103",
      hint: expect.stringContaining("Run as root"),
    }),
  );
  const nothing = withPrograms().env;
  expect(vmFeature(nothing, [])).toMatchObject({ state: "missing" });
  expect(() => requireVmRuntime(HOST, nothing, [])).toThrow(
    expect.objectContaining({
      code: "E103",
      hint: expect.stringContaining("apt-get install -y runsc"),
    }),
  );
});

test("where one is installed it has its bridge and nothing of this machine's own network", async () => {
  const { env, host, folder, plan } = await idlePlan(cache);
  if (vmFeature(env).state !== "ok" || host.rootless) return;
  const { name } = plan;
  await createNetwork({ name, labels: {}, internet: false, subnet: "10.211.10.0/24" }, env);
  onTestFinished(async () => {
    await removeContainer(name, env);
    await removeNetwork(name, env);
  });
  const vm = requireVmRuntime(host, env);
  const { sh } = await runningSandbox({ host: vm, env, folder, plan: { ...plan, network: { kind: "bridge", name } } });
  const { stdout } = await sh("tail -n +3 /proc/net/dev | cut -d : -f 1 | tr -d ' ' | sort; cat /proc/net/route");
  expect(stdout.toString()).toMatch(/^eth0\nlo\n/);
  expect(stdout.toString()).toContain("000AD30A");
});

test("where one is installed a sandbox has another kernel than this machine, and ends whole", async () => {
  const { env, host, folder, plan } = await idlePlan(cache);
  const { state } = vmFeature(env);
  if (state !== "ok" || host.rootless) return;
  const vm = requireVmRuntime(host, env);
  const { sh } = await runningSandbox({ host: vm, env, folder, plan });
  const seen = await sh("uname -v; echo new > /app/a.txt; cat /app/a.txt");
  const [kernel, ...rest] = seen.stdout.toString().split("\n");
  expect(kernel).not.toBe(version());
  expect(rest).toEqual(["new", ""]);
  expect(await sh("sleep 1001", { timeoutMs: 2000 })).toMatchObject({ timedOut: true, exitCode: 137 });
  await expect(sh("true")).rejects.toMatchObject({ code: "E103" });
});
