import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { cgroupOf } from "../../src/podman/cgroup-usage.js";
import { listContainers } from "../../src/podman/list-containers.js";
import { pauseContainer, unpauseContainer } from "../../src/podman/pause-container.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { stopContainer } from "../../src/podman/stop-container.js";
import { isAlive } from "../../src/system/process-identity.js";
import { sharedCache } from "../snapshot/sandbox.js";
import { idleSandbox } from "./sandbox.js";

const cache = sharedCache();

function commandOf(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
const CGROUPS = "/sys/fs/cgroup";

/** Where a control group is left, in whichever hierarchy. */
const foldersOf = (group: string): string[] =>
  [CGROUPS, ...readdirSync(CGROUPS).map((name) => path.join(CGROUPS, name))]
    .map((folder) => path.join(folder, group))
    .filter((folder) => existsSync(folder));

test("a container is stopped with all that runs in it, whatever that ignores, and once is enough", async () => {
  const { sh, container, env } = await idleSandbox(cache);
  await sh("trap '' TERM; sleep 1001 & echo >/dev/null");
  await stopContainer(container.name, 30_000, env);
  expect(isAlive(container.process)).toBe(false);
  await stopContainer(container.name, 30_000, env);
  await removeContainer(container.name, env);
  expect(foldersOf(cgroupOf(container.name))).toEqual([]);
  await removeContainer(container.name, env);
  await stopContainer(container.name, 30_000, env);
});

test("with the processes of this host shared, stopping ends those of the sandbox", async () => {
  const { sh, container, env } = await idleSandbox(cache, { namespaces: [] });
  const { stdout } = await sh("setsid sleep 1001 >/dev/null 2>&1 & echo $!");
  // Where the processes are not shared after all, the number says nothing, and they end with the first one.
  const started = Number(stdout.toString());
  await stopContainer(container.name, 30_000, env);
  expect(commandOf(started)).not.toContain("sleep");
});

test("removing ends them too, whether the first process is killed before or not", async () => {
  for (const known of [true, false]) {
    const { sh, container, env } = await idleSandbox(cache, { namespaces: [] });
    const started = Number((await sh("setsid sleep 1001 >/dev/null 2>&1 & echo $!")).stdout.toString());
    await removeContainer(container.name, env, known ? container.process : undefined);
    expect(commandOf(started)).not.toContain("sleep");
    expect(isAlive(container.process)).toBe(false);
    expect(await listContainers(`kai.test=${container.name}`, env)).toEqual([]);
    expect(foldersOf(cgroupOf(container.name))).toEqual([]);
  }
});

test("a container is paused, executes nothing meanwhile and goes on", async () => {
  const { sh, container, env } = await idleSandbox(cache);
  await sh("(while :; do echo >> /app/ticks; sleep 0.05; done) >/dev/null 2>&1 &");
  expect(await pauseContainer(container.name, env)).toBe(true);
  expect(await listContainers(`kai.test=${container.name}`, env)).toMatchObject([{ state: "paused" }]);
  await expect(sh("true")).rejects.toMatchObject({ code: "E103", message: expect.stringContaining("is paused") });
  expect(await unpauseContainer(container.name, env)).toBe(true);
  expect(await unpauseContainer(container.name, env)).toBe(false);
  expect(await sh("wc -l < /app/ticks")).toMatchObject({ exitCode: 0 });
});

test("a paused container is stopped all the same", async () => {
  const { container, env } = await idleSandbox(cache);
  await pauseContainer(container.name, env);
  await stopContainer(container.name, 30_000, env);
  expect(isAlive(container.process)).toBe(false);
});
