import path from "node:path";
import { KaiError } from "../error.js";
import { findProgram } from "../system/find-program.js";
import type { Feature, HostCapabilities } from "./capabilities.js";

interface VmRuntime {
  program: string;
  /** What stands between a sandbox and this machine's kernel. */
  what: string;
  /** Why a limit of this host does nothing there. */
  unenforced: Partial<Record<"pids", string>>;
}

/** The strongest first. */
const RUNTIMES: readonly VmRuntime[] = [
  { program: "krun", what: "a virtual machine of libkrun", unenforced: {} },
  { program: "kata-runtime", what: "a virtual machine of Kata Containers", unenforced: {} },
  {
    program: "runsc",
    what: "gVisor: a kernel of its own in user space, and no virtual machine",
    unenforced: { pids: "the limit counts gVisor's own threads" },
  },
];

const USUAL_FOLDERS = ["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin", "/opt/kata/bin"];

const REMEDY =
  "Install one that this machine can run: `sudo apt-get install -y runsc` (gVisor), or crun-krun (Fedora, with /dev/kvm); " +
  "or set snapshot_isolation.default_isolation to container.";

/** The runtime of this machine that gives a container a kernel of its own, if there is one, as a feature. */
export function vmFeature(env: NodeJS.ProcessEnv, folders?: readonly string[]): Feature {
  const found = findVmRuntime(env, folders);
  return found === undefined
    ? { name: "vm", state: "missing", detail: "no runtime with a kernel of its own is installed", remedy: REMEDY }
    : { name: "vm", state: "ok", detail: `${found.file}: ${found.runtime.what}` };
}

/**
 * `host` with containers that have a kernel of their own, for process isolation `vm`. Whether it starts here shows when one is
 * started. Throws E103 where no such runtime is installed, and for ordinary users, whom none of them serves under Podman.
 */
export function requireVmRuntime(
  host: HostCapabilities,
  env: NodeJS.ProcessEnv,
  folders?: readonly string[],
): HostCapabilities {
  const found = findVmRuntime(env, folders);
  if (found === undefined || host.rootless) {
    const why = host.rootless ? "Rootless Podman cannot start one" : "No runtime for it is installed";
    throw new KaiError("E103", `Process isolation vm cannot be had here. ${why}.`, {
      hint: host.rootless ? "Run as root, or set snapshot_isolation.default_isolation to container." : REMEDY,
    });
  }
  const { file, runtime } = found;
  return {
    ...host,
    runtime: file,
    ownKernel: true,
    features: host.features.map((feature) => {
      const why = feature.name === "pids" ? runtime.unenforced.pids : undefined;
      return why === undefined ? feature : { ...feature, state: "unenforced", detail: why };
    }),
  };
}

function findVmRuntime(
  env: NodeJS.ProcessEnv,
  usual: readonly string[] = USUAL_FOLDERS,
): { file: string; runtime: VmRuntime } | undefined {
  const folders = [...(env["PATH"] ?? "").split(":").filter(path.isAbsolute), ...usual];
  for (const runtime of RUNTIMES) {
    for (const folder of folders) {
      // Not where the link leads: some are another program that looks by which name it was called.
      if (findProgram(runtime.program, [folder])) return { file: path.join(folder, runtime.program), runtime };
    }
  }
  return undefined;
}
