import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KaiError } from "../error.js";
import { makeFolder } from "../system/durable-file.js";
import { reasonOf } from "../system/reason-of.js";
import type { HostCapabilities } from "./capabilities.js";

/** What a container used; absent where the host does not say. */
export interface ContainerUsage {
  /** Bytes. */
  peakMemory?: number;
  cpuMs?: number;
}

const ROOT = "/sys/fs/cgroup";
const REMOVE_ATTEMPTS = 50;
const REMOVE_PAUSE_MS = 20;

/** Where a container's own control group can be had: only root may make one, and systemd has its own idea of them. */
export const cgroupParentFor = (host: HostCapabilities, name: string): string | undefined =>
  host.rootless || host.cgroupManager !== "cgroupfs" ? undefined : cgroupOf(name);

/** The group of the container called `name`, if it was given one. */
export const cgroupOf = (name: string): string => `/kai/${name}`;

/** The figures of a group whose container has ended; the container's monitor, about a megabyte, is among them. */
export async function readUsage(parent: string): Promise<ContainerUsage> {
  const peak =
    (await readNumber(path.join(ROOT, "memory", parent, "memory.max_usage_in_bytes"))) ??
    (await readNumber(path.join(ROOT, parent, "memory.peak")));
  const nanoseconds = await readNumber(path.join(ROOT, "cpuacct", parent, "cpuacct.usage"));
  const stat = await readFile(path.join(ROOT, parent, "cpu.stat"), "utf8").catch(() => "");
  const microseconds = /^usage_usec (\d+)$/m.exec(stat)?.[1];
  const cpuMs =
    nanoseconds === undefined
      ? microseconds === undefined
        ? undefined
        : Number(microseconds) / 1e3
      : nanoseconds / 1e6;
  return {
    ...(peak === undefined ? {} : { peakMemory: peak }),
    ...(cpuMs === undefined ? {} : { cpuMs: Math.round(cpuMs) }),
  };
}

/** Makes the group in the hierarchy that counts processes, and limits them: for what podman itself cannot tell to. */
export async function limitProcesses(parent: string, pids: number): Promise<void> {
  const own = path.join(ROOT, "pids");
  const isOwn = await readdir(own).then(
    () => true,
    () => false,
  );
  const folder = path.join(isOwn ? own : ROOT, parent);
  await makeFolder(folder, 0o777);
  // With one hierarchy for all, each group says what is counted below it.
  if (!isOwn) {
    for (const each of [ROOT, path.dirname(folder)]) {
      await writeFile(path.join(each, "cgroup.subtree_control"), "+pids").catch(() => {});
    }
  }
  await writeFile(path.join(folder, "pids.max"), String(pids)).catch((cause) => {
    throw new KaiError("E103", `The processes of a build could not be limited in ${folder}: ${reasonOf(cause)}.`, {
      hint: "`git kai-version doctor` shows what this machine lacks.",
      cause,
    });
  });
}

/** Takes the group away in every hierarchy, with the one in it that podman makes for the container's monitor. */
export async function removeCgroup(parent: string): Promise<void> {
  const hierarchies = await readdir(ROOT).catch(() => []);
  const folders = [ROOT, ...hierarchies.map((name) => path.join(ROOT, name))];
  await Promise.all(folders.map((folder) => removeGroup(path.join(folder, parent))));
}

async function removeGroup(folder: string): Promise<void> {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    await rmdir(path.join(folder, "conmon")).catch(() => {});
    const failure = await rmdir(folder).then(
      () => undefined,
      (cause: NodeJS.ErrnoException) => cause.code,
    );
    // The monitor outlives its container by a moment.
    if (failure !== "EBUSY") return;
    await delay(REMOVE_PAUSE_MS);
  }
}

async function readNumber(file: string): Promise<number | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}
