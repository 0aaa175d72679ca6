import { statSync } from "node:fs";
import path from "node:path";
import { findProgram } from "../system/find-program.js";
import { podmanEnvironment } from "./podman.js";

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
export function installedPodman(env: NodeJS.ProcessEnv): string | undefined {
  const searched = (podmanEnvironment(env)["PATH"] ?? "").split(":").filter(Boolean);
  const podman = describeProgram("podman", searched);
  const parts = PARTS.map((name) => describeProgram(name, [...new Set([...searched, ...FOLDERS])]));
  return podman === undefined ? undefined : [podman, ...parts.map((part) => part ?? "none")].join(" ");
}

function describeProgram(name: string, folders: readonly string[]): string | undefined {
  const file = findProgram(name, folders);
  const found = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false });
  return found && [path.resolve(file ?? ""), found.size, found.mtimeMs, found.ino].join(":");
}
