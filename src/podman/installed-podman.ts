import { stat } from "node:fs/promises";
import path from "node:path";
import { findProgram } from "../system/doctor-programs.js";

/** What podman itself starts, where it looks for it, and what a sandbox's disk takes. */
const PARTS = ["crun", "runc", "conmon", "mkfs.ext4"];
const FOLDERS = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/usr/libexec/podman",
  "/usr/lib/podman",
];

/**
 * Which podman is installed, and which of its parts: a text that is another one after an upgrade. Told by the files alone,
 * as podman takes 30 ms to say its version. Undefined where there is none.
 */
export async function installedPodman(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const searched = (env["PATH"] ?? "").split(":").filter(Boolean);
  const [podman, ...parts] = await Promise.all([
    describeProgram("podman", searched),
    ...PARTS.map((name) => describeProgram(name, [...new Set([...searched, ...FOLDERS])])),
  ]);
  return podman === undefined ? undefined : [podman, ...parts.map((part) => part ?? "none")].join(" ");
}

async function describeProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  const file = await findProgram(name, folders);
  if (file === undefined) return undefined;
  const { size, mtimeMs, ino } = await stat(file);
  return [path.resolve(file), size, mtimeMs, ino].join(":");
}
