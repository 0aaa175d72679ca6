import { access } from "node:fs/promises";
import type { PodmanInfo } from "./judge-features.js";
import { runPodman } from "./podman.js";

interface InfoDocument {
  host?: {
    cgroupManager?: string;
    cgroupVersion?: string;
    ociRuntime?: { name?: string };
    security?: { rootless?: boolean; apparmorEnabled?: boolean; selinuxEnabled?: boolean };
  };
  version?: { Version?: string };
}

/** Asks podman about itself and this host; gives podman's words where it cannot even say that. */
export async function readPodmanInfo(env: NodeJS.ProcessEnv): Promise<PodmanInfo | string> {
  const result = await runPodman(["info", "--format", "json"], { env });
  if (result.exitCode !== 0) return result.stderr.toString().trim() || "`podman info` failed without a word";
  const hybrid = await access("/sys/fs/cgroup/unified/cgroup.controllers").then(
    () => true,
    () => false,
  );
  return parsePodmanInfo(JSON.parse(result.stdout.toString()) as InfoDocument, hybrid);
}

export function parsePodmanInfo({ host, version }: InfoDocument, hybrid: boolean): PodmanInfo {
  const cgroups = host?.cgroupVersion === "v1" && hybrid ? "hybrid" : host?.cgroupVersion;
  return {
    version: version?.Version ?? "unknown",
    rootless: host?.security?.rootless === true,
    cgroups: cgroups === "v1" || cgroups === "v2" || cgroups === "hybrid" ? cgroups : "unknown",
    cgroupManager: host?.cgroupManager ?? "",
    defaultRuntime: host?.ociRuntime?.name ?? "crun",
    apparmor: host?.security?.apparmorEnabled === true,
    selinux: host?.security?.selinuxEnabled === true,
  };
}
