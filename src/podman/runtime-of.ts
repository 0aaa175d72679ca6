import { readFile } from "node:fs/promises";
import path from "node:path";
import { isAlive } from "../system/process-identity.js";
import type { RunningContainer } from "./start-container.js";

/** The OCI runtime that started a container, and what it knows of it. */
export interface ContainerRuntime {
  readonly file: string;
  /** By which the runtime knows the container. */
  readonly id: string;
  /** The `process` of its configuration (OCI runtime-spec, config.md): rights, limits, environment and folder of what runs in it. */
  readonly process: Readonly<Record<string, unknown>> & { readonly env: readonly string[] };
  /** Who its user is on this host. */
  readonly user: { readonly uid: number; readonly gid: number };
}

/** Tried with what is asked of them; crun refuses the control groups of the machines that this was tried on. */
const TRIED = "runc";

/**
 * The runtime of a container that root runs, by the command line of its monitor: conmon(8) is told the container's name and id, the
 * runtime, and the bundle (OCI runtime-spec, bundle.md). Undefined where podman has to be asked: for one that is rootless, of another
 * runtime, confined by SELinux, or has a kernel of its own.
 */
export async function findRuntime(container: RunningContainer): Promise<ContainerRuntime | undefined> {
  if (container.ownKernel || process.geteuid?.() !== 0) return undefined;
  const first = container.process.split(":")[1] ?? "";
  try {
    const status = await readFile(`/proc/${first}/status`, "latin1");
    const [, parent] = /^PPid:\t(\d+)$/m.exec(status) ?? [];
    const [, uid] = /^Uid:\t(\d+)\t/m.exec(status) ?? [];
    const [, gid] = /^Gid:\t(\d+)\t/m.exec(status) ?? [];
    const [monitor = "", ...args] = (await readFile(`/proc/${parent}/cmdline`, "utf8")).split("\0");
    const told = (option: string) => args[args.indexOf(option) + 1] ?? "";
    if (path.basename(monitor) !== "conmon" || told("-n") !== container.name) return undefined;
    const [file, id, bundle] = [told("-r"), told("-c"), told("-b")];
    if (path.basename(file) !== TRIED || ![file, bundle].every(path.isAbsolute) || !/^[0-9a-f]{64}$/.test(id))
      return undefined;
    const config = JSON.parse(await readFile(path.join(bundle, "config.json"), "utf8"));
    // SELinux would take the pipes of its streams, which were made outside, away from a command.
    if (!Array.isArray(config.process.env) || config.process.selinuxLabel) return undefined;
    // All of it was the container's own if that is still there.
    if (!isAlive(container.process)) return undefined;
    return { file, id, process: config.process, user: { uid: Number(uid), gid: Number(gid) } };
  } catch {
    return undefined;
  }
}
