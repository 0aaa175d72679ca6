import { chmod, lstat, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { type HostCapabilities, has } from "../podman/capabilities.js";
import { cgroupParentFor } from "../podman/cgroup-usage.js";
import { writeWhiteout } from "../podman/folders.js";
import { OWNER_LABEL, removeLeftovers } from "../podman/leftovers.js";
import { requireLocalImage } from "../podman/local-image.js";
import type { ContainerPlan, ContainerRoot } from "../podman/plan-container.js";
import { probeHost } from "../podman/probe-host.js";
import { type ContainerResult, runContainer } from "../podman/run-container.js";
import { seccompProfile } from "../podman/seccomp-profile.js";
import { skeletonRoot } from "../podman/skeleton-root.js";
import { ownerOutside } from "../podman/user-mapping.js";
import { mountVolume } from "../podman/volume.js";
import { identityOf } from "../system/process-identity.js";
import type { Execution } from "./execution.js";
import { type Expectations, judgeExpectations } from "./expectations.js";
import { readOverlayChanges } from "./overlay-changes.js";
import { requireIsolation, type WantedSecurity } from "./requirements.js";
import { makeSandboxFolder, ownTempDir, removeSandboxFolder, sweepSandboxFolders, volumeOf } from "./sandbox-folder.js";

/** This machine's own programs, or an image and the key of `base_images` that names it. */
export type SandboxBase = { kind: "host" } | { kind: "image"; name: string; runtime: string };

export interface SandboxSecurity extends WantedSecurity {
  readOnlyRoot: boolean;
  noNewPrivileges: boolean;
  capabilities: readonly string[];
  user: { uid: number; gid: number };
}

export interface SandboxLimits {
  cpus: number;
  memoryBytes: number;
  storageBytes: number;
  pids: number;
  timeoutMs: number;
}

export interface SandboxRequest {
  /** Of the execution; letters, digits and `-`. */
  id: string;
  /** The version's files; belongs to `security.user` and is never written. */
  tree: string;
  /** A program and its arguments. */
  command: readonly string[];
  expect: Expectations;
  base: SandboxBase;
  security: SandboxSecurity;
  limits: SandboxLimits;
  /** What the sandbox sees beside HOME, PATH and LANG. */
  sandboxEnv?: Readonly<Record<string, string>>;
  /** The caller's environment: for podman, never for the sandbox. */
  env: NodeJS.ProcessEnv;
  tempDir: string;
  /** Where what the machine can do and the skeleton root are kept. */
  cacheDir: string;
  signal?: AbortSignal | undefined;
  progress?: ((message: string) => void) | undefined;
}

const KEPT_OUTPUT = 1024 * 1024;
/** The container's own clock is a second line: it only counts when this process is gone. */
const OWN_CLOCK_GRACE_S = 15;

/**
 * Runs a command over a version's files in a throw-away container, and tells what came of it and whether that was as
 * expected. Nothing of the container outlives the call, nor an abort. Throws E117 without podman, E103 where the isolation
 * cannot be had; a command that fails is a result.
 */
export async function testInSandbox(asked: SandboxRequest): Promise<Execution> {
  const request = { ...asked, tempDir: await ownTempDir(asked.tempDir) };
  const { env, tempDir, cacheDir, progress } = request;
  progress?.("Looking at what this machine can isolate…");
  const [host] = await Promise.all([probeHost({ env, cacheDir, tempDir }), removeLeftovers(env)]);
  const unenforced = requireIsolation(host, request.security);
  await requireOwner(request);
  await sweepSandboxFolders(tempDir, { rootless: host.rootless, env });
  const root = await rootFor(request);
  progress?.("Running in the sandbox…");
  const execution = await runOnce(request, host, root);
  if (execution) return finish(request, execution, unenforced);
  // What was kept about this machine may be out of date.
  const fresh = await probeHost({ env, cacheDir, tempDir, refresh: true });
  const again = await runOnce(request, fresh, root, "last");
  return finish(request, again, requireIsolation(fresh, request.security));
}

type Ran = Omit<Execution, "passed" | "failures" | "unenforced">;

function finish(request: SandboxRequest, ran: Ran, unenforced: string[]): Execution {
  const failures = judgeExpectations(ran, request.expect);
  return { ...ran, unenforced, passed: failures.length === 0, failures };
}

async function rootFor({ base, security, cacheDir, env }: SandboxRequest): Promise<ContainerRoot> {
  return base.kind === "host"
    ? skeletonRoot(path.resolve(cacheDir), security.user)
    : { kind: "image", id: await requireLocalImage(base.name, base.runtime, env) };
}

/** Overlay shows files with their owners, and the sandbox's user has no right to override them. */
async function requireOwner({ tree, security }: SandboxRequest): Promise<void> {
  const { uid, gid } = await lstat(tree);
  const wanted = ownerOutside(security.user);
  if (uid === wanted.uid && gid === wanted.gid) return;
  throw new KaiError(
    "E103",
    `The files to test belong to ${uid}:${gid}, and the sandbox runs as ${wanted.uid}:${wanted.gid}.`,
    {
      hint: `\`chown -R ${wanted.uid}:${wanted.gid} ${tree}\`, or set snapshot_isolation.security.run_as_user.`,
    },
  );
}

async function runOnce(request: SandboxRequest, host: HostCapabilities, root: ContainerRoot): Promise<Ran | undefined>;
async function runOnce(
  request: SandboxRequest,
  host: HostCapabilities,
  root: ContainerRoot,
  last: "last",
): Promise<Ran>;
async function runOnce(
  request: SandboxRequest,
  host: HostCapabilities,
  root: ContainerRoot,
  last?: "last",
): Promise<Ran | undefined> {
  const { env, tempDir } = request;
  const folder = await makeSandboxFolder(tempDir);
  try {
    const layers = await prepareLayers(request, host, folder);
    const plan = await planFor(request, host, root, folder, layers);
    const result = await runContainer(plan, host, {
      env,
      folder,
      timeoutMs: request.limits.timeoutMs,
      maxOutput: KEPT_OUTPUT,
      signal: request.signal,
    });
    if (!result.started) {
      if (last) throw notStarted(result);
      return undefined;
    }
    return { ...describeResult(request, result), ...(await describeChanges(request, host, layers)) };
  } finally {
    await removeSandboxFolder(folder, { rootless: host.rootless, env });
  }
}

interface Layers {
  lower: string;
  upper: string;
  work: string;
}

async function prepareLayers(request: SandboxRequest, host: HostCapabilities, folder: string): Promise<Layers> {
  // A link without a colon or comma in its name, whatever the version's folder is called.
  const lower = path.join(folder, "lower");
  await symlink(path.resolve(request.tree), lower);
  const volume = volumeOf(folder);
  if (has(host, "storage")) await mountVolume(volume, request.limits.storageBytes, request.env, request.cacheDir);
  else await mkdir(volume);
  const layers = { lower, upper: path.join(volume, "upper"), work: path.join(volume, "work") };
  await mkdir(layers.upper);
  await mkdir(layers.work);
  if (await lstat(path.join(request.tree, ".git")).catch(() => undefined)) {
    if (!(await writeWhiteout(path.join(layers.upper, ".git"), request.env))) {
      throw new KaiError("E103", "The repository's .git could not be hidden from the sandbox.", {
        hint: "Give a folder without .git, or put temp_dir on a file system with device nodes.",
      });
    }
  }
  return layers;
}

async function planFor(
  request: SandboxRequest,
  host: HostCapabilities,
  root: ContainerRoot,
  folder: string,
  app: Layers,
): Promise<ContainerPlan> {
  const { security, limits, command } = request;
  const name = `kai-${request.id.toLowerCase()}`;
  const skeleton = path.join(folder, "root");
  if (root.kind === "skeleton") await symlink(root.path, skeleton);
  const profile = path.join(folder, "seccomp.json");
  await writeFile(profile, JSON.stringify(seccompProfile()));
  await chmod(profile, 0o644);
  return {
    name,
    labels: { [OWNER_LABEL]: (await identityOf(process.pid)) ?? "" },
    root: root.kind === "skeleton" ? { ...root, path: skeleton } : root,
    app,
    user: security.user,
    security: {
      seccompProfile: security.seccomp === false ? undefined : profile,
      apparmor: security.apparmor !== false,
      selinux: security.selinux !== false,
      readOnlyRoot: security.readOnlyRoot,
      noNewPrivileges: security.noNewPrivileges,
      capabilities: security.capabilities,
    },
    limits: {
      cpus: limits.cpus,
      memoryBytes: limits.memoryBytes,
      pids: limits.pids,
      seconds: Math.ceil(limits.timeoutMs / 1000) + OWN_CLOCK_GRACE_S,
    },
    env: request.sandboxEnv ?? {},
    cgroupParent: cgroupParentFor(host, name),
    // Through the shell, a program that is not there is the command's own failure (127), not podman's.
    command: ["/bin/sh", "-c", `${standInFor(host, limits)}exec "$@"`, "sh", ...command],
  };
}

/**
 * Where the host does not limit a sandbox's memory, a limit of each process: not the same, and nobody calls it enforced, but a
 * runaway leaves the host its memory. Set inside, because the runtime itself needs more than a small limit.
 */
const standInFor = (host: HostCapabilities, { memoryBytes }: SandboxLimits): string =>
  has(host, "memory") ? "" : `ulimit -d ${Math.ceil(memoryBytes / 1024)}; `;

const describeResult = (request: SandboxRequest, result: ContainerResult) => ({
  id: request.id,
  snapshot: null,
  exitCode: result.exitCode,
  stdout: result.stdout.toString(),
  stderr: result.stderr.toString(),
  outputDropped: result.dropped,
  durationMs: result.durationMs,
  timedOut: result.timedOut,
  oomKilled: result.oomKilled,
  resources: result.usage,
  requests: [] as [],
});

async function describeChanges(request: SandboxRequest, host: HostCapabilities, layers: Layers) {
  const { artifacts, refused, dropped } = await readOverlayChanges(layers, {
    rootless: host.rootless,
    env: request.env,
  });
  return { artifacts, refused, artifactsDropped: dropped };
}

function notStarted(result: ContainerResult): KaiError {
  const words = result.stderr.toString().trim().split("\n").at(-1) ?? "";
  return new KaiError("E103", `The sandbox could not be started: ${words.replace(/^Error: /, "")}`, {
    hint: "`git kai-version doctor` shows what this machine lacks and the command that mends it.",
  });
}
