import { expect, test } from "vitest";
import { groupFile } from "../../src/podman/container-group.js";
import { OOM_FILE } from "../../src/podman/oom-kills.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();

test("the file that counts is that of the version which limits memory", () => {
  const oomFile = (groups: string) => groupFile(groups, OOM_FILE);
  expect(oomFile("9:name=systemd:/x\n4:cpuset,memory:/kai/a/libpod-1\n0::/x\n")).toBe(
    "/sys/fs/cgroup/memory/kai/a/libpod-1/memory.oom_control",
  );
  expect(oomFile("0::/user.slice/libpod-1.scope\n")).toBe("/sys/fs/cgroup/user.slice/libpod-1.scope/memory.events");
  expect(oomFile("4:memory:/\n0::/x/libpod-1\n")).toBeUndefined();
  expect(oomFile("")).toBeUndefined();
});

test("an execution that runs out of memory is said to, and the next goes on in the same container", async () => {
  const { sh } = await idleSandbox(cache);
  const bomb = await sh("head -c 400000000 /dev/zero | tail -c 400000000 | wc -c");
  expect(bomb).toMatchObject({ oomKilled: true, timedOut: false });
  const next = await sh("echo well");
  expect(next).toMatchObject({ exitCode: 0, oomKilled: false });
  expect(next.stdout.toString()).toBe("well\n");
});
