import { expect, test } from "vitest";
import { parseHostLimits } from "../../src/podman/host-limits.js";
import { judgeFeatures, type PodmanInfo, type ProbeOutcome } from "../../src/podman/judge-features.js";
import { parsePodmanInfo } from "../../src/podman/podman-info.js";
import { parseProbe } from "../../src/podman/probe-script.js";

const info: PodmanInfo = {
  version: "4.3.1",
  rootless: false,
  cgroups: "v2",
  cgroupManager: "systemd",
  defaultRuntime: "crun",
  apparmor: true,
  selinux: false,
};
const facts = parseProbe("Seccomp=2\nlinks=lo \noverlay=writable\nthrottled=7\npids=bound\nnoise\n");
const good: ProbeOutcome = { runtime: "crun", refusals: [], facts, limited: true, oomKilled: true, quota: true };

const states = (probe: ProbeOutcome, about: PodmanInfo = info) =>
  Object.fromEntries(judgeFeatures(about, probe).map(({ name, state }) => [name, state]));

test("a machine on which every limit bites", () => {
  expect(states(good)).toEqual({
    podman: "ok",
    runtime: "ok",
    overlay: "ok",
    network: "ok",
    seccomp: "ok",
    memory: "ok",
    cpu: "ok",
    pids: "ok",
    storage: "ok",
    apparmor: "ok",
    selinux: "missing",
  });
});

test("limits that do nothing are unenforced, each with what mends it", () => {
  const weak: ProbeOutcome = {
    ...good,
    facts: parseProbe("Seccomp=0\nlinks=lo eth0\nburst=10.00 10.20 0m0.38s 0m0.01s\nthrottled=\npids=unbound\n"),
    oomKilled: false,
    quota: false,
  };
  expect(states(weak, { ...info, rootless: true, cgroups: "v1" })).toMatchObject({
    overlay: "missing",
    network: "missing",
    seccomp: "missing",
    memory: "unenforced",
    cpu: "unenforced",
    pids: "unenforced",
    storage: "unenforced",
  });
  for (const feature of judgeFeatures(info, weak)) {
    expect(feature.state === "ok" || feature.remedy !== undefined).toBe(true);
  }
});

test("why no runtime started is told in podman's words", () => {
  const none: ProbeOutcome = {
    ...good,
    runtime: undefined,
    refusals: [{ runtime: "crun", reason: "cgroups in hybrid mode not supported" }],
  };
  expect(judgeFeatures(info, none).find(({ name }) => name === "runtime")).toMatchObject({
    state: "missing",
    detail: "crun: cgroups in hybrid mode not supported",
    remedy: expect.stringContaining("apt-get install"),
  });
});

test("control groups of both kinds at once are hybrid", () => {
  const document = { host: { cgroupVersion: "v1", security: { rootless: true } }, version: { Version: "4.3.1" } };
  expect(parsePodmanInfo(document, true)).toMatchObject({ cgroups: "hybrid", rootless: true, version: "4.3.1" });
  expect(parsePodmanInfo(document, false).cgroups).toBe("v1");
});

test("the hard limits are read, unlimited ones too", () => {
  const table = [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max processes             96365                unlimited            processes ",
    "Max open files            1024                 20000                files     ",
  ].join("\n");
  expect(parseHostLimits(table)).toEqual({ nofile: 20_000, nproc: 1_048_576 });
});

test("a user without subordinate ids is told what an administrator must do", () => {
  const reason =
    "keep-id requires additional UIDs or GIDs defined in /etc/subuid and /etc/subgid to function correctly";
  const none: ProbeOutcome = { ...good, runtime: undefined, refusals: [{ runtime: "runc", reason }] };
  const runtime = judgeFeatures(info, none).find(({ name }) => name === "runtime");
  expect(runtime).toMatchObject({ state: "missing", detail: `runc: ${reason}` });
  expect(runtime?.remedy).toContain("usermod --add-subuids");
});

test("a processor limit does nothing only where more was had than it allows", () => {
  const judged = (facts: string, changed: Partial<ProbeOutcome> = {}) => {
    const probe = { ...good, facts: parseProbe(facts), ...changed };
    return judgeFeatures(info, probe).find(({ name }) => name === "cpu");
  };
  expect(judged("burst=10.00 10.40 0m0.20s 0m0.00s\nthrottled=3")).toMatchObject({ detail: "the limit bites" });
  const unseen = { state: "ok", detail: "set; this machine was too busy to see the limit bite" };
  expect(judged("burst=10.00 11.00 0m0.32s 0m0.05s\nthrottled=0")).toMatchObject(unseen);
  expect(judged("burst=59.00 61.00 1m0.00s 0m0.00s\nthrottled=0")).toMatchObject({ state: "unenforced" });
  expect(judged("throttled=")).toMatchObject(unseen);
  expect(judged("throttled=", { limited: false })).toMatchObject({ state: "unenforced" });
  // Too little was had to see it, and the other limits of the same control group did nothing.
  expect(judged("burst=10.00 11.00 0m0.32s 0m0.05s\nthrottled=\npids=unbound", { oomKilled: false })).toMatchObject({
    state: "unenforced",
    remedy: expect.any(String),
  });
  expect(judged("throttled=\npids=bound", { oomKilled: false })).toMatchObject(unseen);
});
