import { randomUUID } from "node:crypto";
import { chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { onTestFinished } from "vitest";
import type { HostCapabilities } from "../../src/podman/capabilities.js";
import { cgroupParentFor } from "../../src/podman/cgroup-usage.js";
import { type ExecOptions, type ExecResult, execInContainer } from "../../src/podman/exec-in-container.js";
import { requireIdleProgram } from "../../src/podman/idle-program.js";
import type { ContainerPlan, IdleCommand } from "../../src/podman/plan-container.js";
import type { ExecRequest } from "../../src/podman/plan-exec.js";
import { probeHost } from "../../src/podman/probe-host.js";
import { removeContainer } from "../../src/podman/remove-container.js";
import { seccompProfile } from "../../src/podman/seccomp-profile.js";
import { skeletonRoot } from "../../src/podman/skeleton-root.js";
import { type RunningContainer, startContainer } from "../../src/podman/start-container.js";
import { ownerOutside } from "../../src/podman/user-mapping.js";
import { unmountVolume } from "../../src/podman/volume.js";
import { scratch } from "../support/scratch.js";

const MIB = 1024 * 1024;
export const USER = { uid: 1000, gid: 1000 };

export type IdlePlan = ContainerPlan & { command: IdleCommand };

export interface Sandbox {
  host: HostCapabilities;
  env: NodeJS.ProcessEnv;
  folder: string;
  plan: IdlePlan;
  container: RunningContainer;
  /** Executes a shell script in it. */
  sh(
    script: string,
    more?: Partial<ExecRequest & ExecOptions>,
  ): Promise<ExecResult & { stdout: Buffer; stderr: Buffer }>;
}

/** A plan for an idle container over an empty /app, and what it stands on; removed when the test ends. */
export async function idlePlan(cacheDir: string, more: Partial<IdlePlan> = {}) {
  const { dir, env } = scratch();
  const host = await probeHost({ env, cacheDir, tempDir: dir });
  const folder = path.join(dir, "sandbox");
  const owner = ownerOutside(USER, more.namespaces);
  for (const name of ["", "lower", "upper", "work"]) mkdirSync(path.join(folder, name), { mode: 0o755 });
  if (!host.rootless) chownSync(path.join(folder, "lower"), owner.uid, owner.gid);
  const seccomp = path.join(folder, "seccomp.json");
  writeFileSync(seccomp, JSON.stringify(seccompProfile()));
  const skeleton = await skeletonRoot(path.resolve(cacheDir), USER, more.namespaces);
  symlinkSync(skeleton.path, path.join(folder, "root"));
  const name = `kai-test-${randomUUID()}`;
  const plan: IdlePlan = {
    name,
    labels: { "kai.test": name },
    root: { ...skeleton, path: path.join(folder, "root") },
    app: { lower: path.join(folder, "lower"), upper: path.join(folder, "upper"), work: path.join(folder, "work") },
    user: USER,
    security: {
      seccompProfile: seccomp,
      apparmor: true,
      selinux: true,
      readOnlyRoot: true,
      noNewPrivileges: true,
      capabilities: [],
    },
    limits: { cpus: 2, memoryBytes: 128 * MIB, pids: 64, seconds: 0 },
    env: {},
    cgroupParent: cgroupParentFor(host, name),
    command: { init: requireIdleProgram(env), pidFile: path.join(folder, "pid") },
    ...more,
  };
  onTestFinished(async () => {
    await removeContainer(name, env);
    await unmountVolume(folder, env);
  });
  return { host, env, folder, plan };
}

/** An idle container that runs. */
export const idleSandbox = async (cacheDir: string, more: Partial<IdlePlan> = {}): Promise<Sandbox> =>
  runningSandbox(await idlePlan(cacheDir, more));

export async function runningSandbox({ host, env, folder, plan }: Omit<Sandbox, "container" | "sh">): Promise<Sandbox> {
  const container = await startContainer(plan, host, { env, folder });
  let executions = 0;
  return {
    host,
    env,
    folder,
    plan,
    container,
    async sh(script, asked = {}) {
      const printed = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
      const result = await execInContainer(
        container,
        { id: `exec-${++executions}`, command: ["/bin/sh", "-c", script], ...asked },
        { env, folder, onChunk: (stream, chunk) => void printed[stream].push(chunk), ...asked },
      );
      return { ...result, stdout: Buffer.concat(printed.stdout), stderr: Buffer.concat(printed.stderr) };
    },
  };
}
