import { expect, test } from "vitest";
import type { FeatureName, HostCapabilities } from "../../src/podman/capabilities.js";
import { type BuildPlan, planBuild } from "../../src/podman/plan-build.js";

const plan: BuildPlan = {
  tag: "localhost/kai-agent-a:1.0.0",
  labels: { "io.kai.content": "ab" },
  network: { kind: "none" },
  limits: { cpus: 1.5, memoryBytes: 1024, pids: 64, storageBytes: 4096 },
  seccompProfile: "/folder/seccomp.json",
  cgroupParent: "/kai/a",
};
const FILES = { containerfile: "/folder/Containerfile", context: "/folder/context", ignore: "/folder/ignore" };

const hostWith = (more: Partial<HostCapabilities>): HostCapabilities => ({
  podman: "4.3.1",
  kernel: "6",
  rootless: false,
  cgroups: "v2",
  cgroupManager: "cgroupfs",
  runtime: "runc",
  limits: { nofile: 1024, nproc: 1_000_000 },
  features: (["memory", "cpu", "pids"] as FeatureName[]).map((name) => ({ name, state: "ok", detail: "" })),
  ...more,
});

const argumentsOf = (more: Partial<BuildPlan> = {}, host: Partial<HostCapabilities> = {}): string =>
  planBuild({ ...plan, ...more }, FILES, hostWith(host)).join(" ");

test("everything is shut, and nothing is kept for another build", () => {
  expect(argumentsOf()).toMatchInlineSnapshot(
    `"--runtime runc build --isolation oci --pull=never --network none --no-hosts --http-proxy=false --cap-drop all --cap-add CHOWN,DAC_OVERRIDE,FOWNER,FSETID,SETGID,SETUID --security-opt seccomp=/folder/seccomp.json --memory 1024b --memory-swap 1024b --cpu-period 100000 --cpu-quota 150000 --ulimit nofile=1024:1024 --ulimit nproc=32768:32768 --ulimit core=0:0 --ulimit fsize=4096:4096 --cgroup-parent /kai/a --layers=false --force-rm --timestamp 0 --label io.kai.content=ab --tag localhost/kai-agent-a:1.0.0 --ignorefile /folder/ignore --file /folder/Containerfile /folder/context"`,
  );
});

test("the network is that of a process, with what commands are told of it", () => {
  const network = { kind: "process", pid: 7, variables: { http_proxy: "http://127.0.0.1:3128" } } as const;
  expect(argumentsOf({ network })).toContain(
    "--network ns:/proc/7/ns/net --no-hosts --http-proxy=false --build-arg http_proxy=http://127.0.0.1:3128 ",
  );
});

test("what the host cannot limit is not asked for", () => {
  const ordinary = { rootless: true, limits: { nofile: 512, nproc: 4096 } };
  expect(argumentsOf({}, { features: [] })).not.toMatch(/--memory|--cpu/);
  expect(argumentsOf({}, { ...ordinary, cgroups: "v1" })).not.toMatch(/--memory|--cpu/);
  expect(argumentsOf({}, { ...ordinary, cgroups: "v2" })).toContain("--memory 1024b");
  expect(argumentsOf({}, ordinary)).toContain("--ulimit nofile=512:512 --ulimit nproc=64:64");
  expect(argumentsOf({ cgroupParent: undefined })).not.toContain("--cgroup-parent");
});
