import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { checkHostProgram } from "../../../src/cli/doctor/host-program-check.js";
import { checkKeys } from "../../../src/cli/doctor/key-check.js";
import { checkPodman } from "../../../src/cli/doctor/podman-checks.js";
import { checkNode, checkPrograms, PROGRAMS } from "../../../src/cli/doctor/program-checks.js";
import { parseVersion } from "../../../src/system/doctor-programs.js";
import { scratch } from "../../support/scratch.js";

const gitOf = (version: string | undefined) =>
  checkPrograms([{ name: "git", version }]).find(({ name }) => name === "git");

test("git is missing, too old, old or good", () => {
  expect(gitOf(undefined)).toMatchObject({ state: "missing", remedy: "Run `sudo apt-get install -y git`." });
  expect(gitOf("2.35.9")).toMatchObject({ state: "missing" });
  expect(gitOf("2.38.1")).toMatchObject({ state: "warn" });
  expect(gitOf("2.39.5")).toEqual({ name: "git", state: "ok", detail: "2.39.5", remedy: null });
  expect(gitOf("3.0.0")).toMatchObject({ state: "ok" });
});

test("what is optional is a warning when it is not there", () => {
  const states = Object.fromEntries(checkPrograms([]).map(({ name, state }) => [name, state]));
  expect(states).toEqual({
    git: "missing",
    flock: "missing",
    tar: "missing",
    gpg: "warn",
    sqlite3: "warn",
    man: "warn",
  });
  expect(PROGRAMS).toHaveLength(Object.keys(states).length);
});

test("Node.js below what is needed is missing", () => {
  expect(checkNode("20.18.3").state).toBe("missing");
  expect(checkNode("20.19.0").state).toBe("ok");
  expect(checkNode("24.1.0").state).toBe("ok");
});

test("versions are found in what programs say of themselves", () => {
  expect(parseVersion("gpg (GnuPG) 2.2.40\nlibgcrypt 1.10.1")).toBe("2.2.40");
  expect(parseVersion("flock from util-linux 2.38.1")).toBe("2.38.1");
  expect(parseVersion("a program\nwithout one")).toBe("a program");
});

test("a limit that does nothing is a warning, a sandbox that cannot be is missing", () => {
  const checks = checkPodman([
    { name: "runtime", state: "missing", detail: "crun: no", remedy: "install runc" },
    { name: "memory", state: "unenforced", detail: "does nothing", remedy: "boot with cgroup v2" },
    { name: "vm", state: "missing", detail: "none", remedy: "install runsc" },
  ]);
  expect(checks).toEqual([
    { name: "podman runtime", state: "missing", detail: "crun: no", remedy: "install runc" },
    {
      name: "podman memory limit",
      state: "warn",
      detail: "does nothing: only each process is limited, not the sandbox",
      remedy: "boot with cgroup v2",
    },
    { name: "podman vm", state: "warn", detail: "none: `default_isolation: vm` is refused", remedy: "install runsc" },
  ]);
});

test("a key store that others can read is told with the command that shuts it", async () => {
  const { dir, env } = scratch();
  const home = path.join(dir, "kai");
  expect(await checkKeys({ ...env, KAI_HOME: home })).toMatchObject({ state: "warn" });
  mkdirSync(home, { mode: 0o700 });
  expect(await checkKeys({ ...env, KAI_HOME: home })).toMatchObject({ state: "warn" });
  chmodSync(home, 0o755);
  expect(await checkKeys({ ...env, KAI_HOME: home })).toMatchObject({
    state: "warn",
    detail: `others can look into ${home}`,
    remedy: `Run \`chmod 700 '${home}'\`.`,
  });
  expect(await checkKeys({ KAI_SIGNING_KEY: "armored" })).toMatchObject({ state: "ok" });
});

test("an interpreter outside /usr is said not to be what a sandbox sees", async () => {
  const { dir } = scratch();
  const own = path.join(dir, "sh");
  writeFileSync(own, "#!/bin/sh\n", { mode: 0o755 });
  expect(checkHostProgram("sh", "dash", { PATH: dir })).toMatchObject({
    state: "ok",
    detail: expect.stringContaining(`yours, ${own}, is not what they see`),
  });
  writeFileSync(path.join(dir, "only-here"), "#!/bin/sh\n", { mode: 0o755 });
  expect(checkHostProgram("only-here", "some-package", { PATH: dir })).toMatchObject({
    state: "warn",
    detail: expect.stringContaining("outside /usr"),
    remedy: expect.stringContaining("apt-get install -y some-package"),
  });
});
