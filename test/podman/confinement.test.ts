import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { has } from "../../src/podman/capabilities.js";
import type { Namespace } from "../../src/podman/plan-container.js";
import { CONFINED, ESCAPE } from "../snapshot/escape.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { type IdlePlan, idlePlan, idleSandbox, runningSandbox } from "./sandbox.js";

const cache = sharedCache();
const ALL: Namespace[] = ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"];

test.each([
  ["in the usual namespaces", undefined],
  ["in all seven", ALL],
  ["in as few as there can be", []],
] as const)(
  "what is executed in a container that idles is confined like its first process, %s",
  async (_, namespaces) => {
    const { sh } = await idleSandbox(cache, namespaces === undefined ? {} : { namespaces });
    const result = await sh("", { command: ["/usr/bin/python3", "-c", ESCAPE] });
    expect(result.stderr.toString()).toBe("");
    const tries = JSON.parse(result.stdout.toString());
    expect(tries).toMatchObject(CONFINED);
    expect(tries.environment).toEqual({
      HOME: "/tmp",
      KAI_EXEC: expect.any(String),
      LANG: "C.UTF-8",
      PATH: expect.any(String),
      ...("container" in tries.environment && { container: "podman" }),
      ...("HOSTNAME" in tries.environment && { HOSTNAME: expect.any(String) }),
      ...("TERM" in tries.environment && { TERM: expect.any(String) }),
    });
    if (namespaces?.length !== 0) expect(tries["host processes"]).toEqual([]);
  },
);

/** The security of a plan with some of it changed. */
async function sandboxWith(security: Partial<IdlePlan["security"]>) {
  const prepared = await idlePlan(cache);
  const plan = { ...prepared.plan, security: { ...prepared.plan.security, ...security } };
  return runningSandbox({ ...prepared, plan });
}

test("capabilities are those that were given, and no others", async () => {
  const { sh } = await sandboxWith({ capabilities: ["NET_BIND_SERVICE", "CHOWN"] });
  const { stdout } = await sh(
    "grep -E '^Cap(Prm|Eff|Bnd):' /proc/self/status; stat -c %u /app; chown 7 /app && stat -c %u /app",
  );
  // Bits 0 and 10, see <linux/capability.h>.
  const sets = stdout.toString().match(/[0-9a-f]{16}/g);
  expect(sets).toEqual(["0000000000000401", "0000000000000401", "0000000000000401"]);
  expect(stdout.toString()).toMatch(/1000\n7\n$/);
});

test("what a configuration opens is open: the root file system, new privileges, system calls", async () => {
  const { sh } = await sandboxWith({ readOnlyRoot: false, noNewPrivileges: false, seccompProfile: undefined });
  const { stdout } = await sh(
    "grep ' / ' /proc/mounts | cut -d ' ' -f 4; grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status",
  );
  const [root, ...rest] = stdout.toString().trim().split("\n");
  expect(root?.split(",")).toContain("rw");
  expect(rest).toEqual(["NoNewPrivs:\t0", "Seccomp:\t0"]);
});

/** What AppArmor or SELinux call a process; empty where this machine has neither. */
function ownLabel(): string {
  try {
    return readFileSync("/proc/self/attr/current", "latin1").replace(/[\0\n]/g, "");
  } catch {
    return "";
  }
}

test("AppArmor and SELinux confine it where this machine has them", async () => {
  const { sh, host } = await idleSandbox(cache);
  const { stdout } = await sh("cat /proc/self/attr/current 2>/dev/null");
  const label = stdout.toString().replace(/[\0\n]/g, "");
  // Of AppArmor podman gives ordinary users none.
  if (has(host, "selinux") || (has(host, "apparmor") && !host.rootless)) expect(label).not.toBe(ownLabel());
  else expect(label).toBe(ownLabel());
});
