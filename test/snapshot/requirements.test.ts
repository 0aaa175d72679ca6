import { expect, test } from "vitest";
import type { Feature, FeatureName, HostCapabilities } from "../../src/podman/capabilities.js";
import { requireSettings, unenforcedOn } from "../../src/snapshot/sandbox/requirements.js";
import { usualSettings } from "./sandbox.js";

const ALL: FeatureName[] = ["podman", "runtime", "overlay", "network", "seccomp", "memory", "cpu", "pids", "storage"];
const wanted = usualSettings();
const secured = (more: Partial<typeof wanted.security>) => ({ ...wanted, security: { ...wanted.security, ...more } });

function hostWith(...changed: Feature[]): HostCapabilities {
  const fine = ALL.map((name): Feature => ({ name, state: "ok", detail: "" }));
  const features = fine.map((feature) => changed.find(({ name }) => name === feature.name) ?? feature);
  return {
    podman: "4.3.1",
    kernel: "6.1",
    rootless: false,
    cgroups: "v2",
    cgroupManager: "systemd",
    runtime: "crun",
    limits: { nofile: 1024, nproc: 1024 },
    features,
  };
}

test("limits that do nothing are named, and no more", () => {
  expect(requireSettings(hostWith(), wanted)).toEqual([]);
  const weak = hostWith(
    { name: "memory", state: "unenforced", detail: "" },
    { name: "cpu", state: "unenforced", detail: "" },
  );
  expect(requireSettings(weak, wanted)).toEqual(["memory", "cpu"]);
});

test("a root that can be written and is beyond the limit of storage is named", () => {
  const on = (host: HostCapabilities, settings: typeof wanted, kind: "host" | "image" = "host") =>
    unenforcedOn({ host, unenforced: requireSettings(host, settings) }, settings, { kind });
  const writable = secured({ readOnlyRoot: false });
  expect(on(hostWith(), writable)).toEqual([]);
  expect(on(hostWith(), wanted, "image")).toEqual([]);
  expect(on(hostWith(), writable, "image")).toEqual(["storage"]);
  expect(on({ ...hostWith(), rootless: true }, writable)).toEqual(["storage"]);
  expect(on({ ...hostWith(), ownKernel: true }, writable)).toEqual(["storage"]);
  expect(on(hostWith(), { ...writable, namespaces: ["pid", "mount", "user"] })).toEqual(["storage"]);
  const without = hostWith({ name: "storage", state: "missing", detail: "" });
  expect(on(without, writable)).toEqual(["storage"]);
  expect(on(without, { ...writable, filesystem: "tmpfs" })).toEqual([]);
});

test("an isolation that is missing is E103 with what mends it, and never a weaker sandbox", () => {
  for (const name of ["podman", "runtime", "network", "seccomp"] as const) {
    const host = hostWith({ name, state: "missing", detail: "why", remedy: "do this" });
    expect(() => requireSettings(host, wanted)).toThrow(
      expect.objectContaining({ code: "E103", hint: "do this", message: expect.stringContaining(`${name}: why`) }),
    );
  }
});

test("an overlay is asked of temp_dir's file system only where a sandbox has it there", () => {
  const lacks = { name: "overlay", state: "missing", detail: "none", remedy: "do this" } as const;
  const onDisks = hostWith(lacks);
  const plain = hostWith(lacks, { name: "storage", state: "unenforced", detail: "" });
  expect(requireSettings(onDisks, wanted)).toEqual([]);
  expect(() => requireSettings(plain, wanted)).toThrow(expect.objectContaining({ code: "E103", hint: "do this" }));
  for (const other of [{ type: "full" }, { filesystem: "none" }, { filesystem: "tmpfs" }] as const)
    expect(() => requireSettings(plain, { ...wanted, ...other })).not.toThrow();
});

test("AppArmor and SELinux are demanded only where kai.yaml requires them", () => {
  expect(() => requireSettings(hostWith(), secured({ selinux: "required" }))).toThrow("selinux");
  expect(() => requireSettings(hostWith(), secured({ apparmor: "required" }))).toThrow("apparmor");
  const unfiltered = hostWith({ name: "seccomp", state: "missing", detail: "" });
  expect(requireSettings(unfiltered, secured({ seccomp: false }))).toEqual([]);
});

test("a kernel of its own has no proxy to reach: what would let nothing through is refused", () => {
  const network = { ...wanted.network, mode: "isolated" as const };
  expect(requireSettings(hostWith(), { ...wanted, network })).toEqual([]);
  expect(() => requireSettings({ ...hostWith(), ownKernel: true }, { ...wanted, network })).toThrow(
    expect.objectContaining({ code: "E103", hint: expect.stringContaining("bridge") }),
  );
});

test("without podman it is E117 with the command that installs it", () => {
  expect(() => requireSettings({ ...hostWith(), podman: undefined }, wanted)).toThrow(
    expect.objectContaining({ code: "E117", exit: 3, hint: expect.stringContaining("apt-get install -y podman") }),
  );
});
