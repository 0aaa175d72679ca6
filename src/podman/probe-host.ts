import { randomUUID } from "node:crypto";
import { chown, mkdir, mkdtemp, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { release } from "node:os";
import path from "node:path";
import { KaiError } from "../error.js";
import { makeFolder } from "../system/durable-file.js";
import { reasonOf } from "../system/reason-of.js";
import type { Feature, HostCapabilities } from "./capabilities.js";
import { removeFolder } from "./folders.js";
import { readHostLimits } from "./host-limits.js";
import { judgeFeatures, type PodmanInfo, type ProbeOutcome, UNSEEN } from "./judge-features.js";
import type { ContainerPlan } from "./plan-container.js";
import { INSTALL_PODMAN, runPodman } from "./podman.js";
import { readPodmanInfo } from "./podman-info.js";
import { PROBE_CPUS, PROBE_MEMORY, PROBE_PIDS, PROBE_SCRIPT, parseProbe } from "./probe-script.js";
import { runContainer } from "./run-container.js";
import { seccompProfile } from "./seccomp-profile.js";
import { skeletonRoot } from "./skeleton-root.js";
import { hasQuota } from "./volume.js";

export interface ProbeRequest {
  env: NodeJS.ProcessEnv;
  /** Where what was found is kept, and the skeleton root. */
  cacheDir: string;
  /** Where sandboxes will have their folders: whether overlay works depends on its file system. */
  tempDir: string;
  /** When it is; default: the clock. */
  now?: (() => Date) | undefined;
  /** Look again although the answer is kept, after a run that failed. */
  refresh?: boolean;
}

const CACHE_FORMAT = 2;
const USER = { uid: 1000, gid: 1000 };
const LIMITS = ["memory", "cpu", "pids"] as const;

/**
 * What this machine gives a sandbox, by starting one and hitting its limits (about a second). Kept by podman's version,
 * kernel, user and file system. A missing podman is a feature that is missing, not an error.
 */
export async function probeHost(request: ProbeRequest): Promise<HostCapabilities> {
  const version = await podmanVersion(request.env);
  if (version === undefined) return withoutSandboxes(undefined, NOT_INSTALLED);
  const key = [CACHE_FORMAT, version, release(), process.getuid?.(), await deviceOf(request.tempDir)].join(" ");
  const file = path.join(request.cacheDir, "podman-host.json");
  const now = request.now?.() ?? new Date();
  if (!request.refresh) {
    const kept = await readKept(file, key, now);
    if (kept) return kept;
  }
  const info = await readPodmanInfo(request.env);
  if (typeof info === "string") {
    const remedy = "Mend what podman says, then try `podman info`.";
    return withoutSandboxes(version, { name: "podman", state: "missing", detail: info, remedy });
  }
  const found = await probe(request, info);
  // Only a machine that can start a sandbox is remembered: what is missing may be mended the next minute.
  if (found.runtime !== undefined) await keep(file, key, found, now);
  return found;
}

async function podmanVersion(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    return (await runPodman(["--version"], { env })).stdout.toString().trim();
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") return undefined;
    throw cause;
  }
}

async function withoutSandboxes(podman: string | undefined, feature: Feature): Promise<HostCapabilities> {
  return {
    podman,
    kernel: release(),
    rootless: process.getuid?.() !== 0,
    cgroups: "unknown",
    cgroupManager: "",
    runtime: undefined,
    limits: await readHostLimits(),
    features: [feature],
  };
}

const NOT_INSTALLED: Feature = {
  name: "podman",
  state: "missing",
  detail: "not installed",
  remedy: `Run \`${INSTALL_PODMAN}\`.`,
};

async function probe(request: ProbeRequest, info: PodmanInfo): Promise<HostCapabilities> {
  const host: HostCapabilities = {
    podman: info.version,
    kernel: release(),
    rootless: info.rootless,
    cgroups: info.cgroups,
    cgroupManager: info.cgroupManager,
    runtime: undefined,
    limits: await readHostLimits(),
    features: [],
  };
  const outcome = await tryRuntimes(request, info, host);
  return { ...host, runtime: outcome.runtime, features: judgeFeatures(info, outcome) };
}

async function tryRuntimes(request: ProbeRequest, info: PodmanInfo, host: HostCapabilities): Promise<ProbeOutcome> {
  const refusals: { runtime: string; reason: string }[] = [];
  const quota = await hasQuota(info.rootless, request.env);
  // crun refuses hybrid control groups, so asking it first there is time lost.
  const first = info.cgroups === "hybrid" ? "runc" : info.defaultRuntime;
  for (const runtime of new Set([first, info.defaultRuntime, "crun", "runc"])) {
    // Without the right to set a limit some versions start nothing, so the second try asks for none.
    for (const limits of [LIMITS, []]) {
      const features = limits.map((name): Feature => ({ name, state: "ok", detail: "" }));
      const result = await runProbe(request, { ...host, runtime, features });
      if (result.started) {
        const facts = parseProbe(result.stdout.toString());
        return { runtime, refusals, facts, limited: limits.length > 0, oomKilled: result.oomKilled, quota };
      }
      if (limits.length === 0) refusals.push({ runtime, reason: lastLine(result.stderr.toString()) });
    }
  }
  return { runtime: undefined, refusals, facts: new Map(), limited: false, oomKilled: false, quota };
}

async function runProbe({ env, cacheDir, tempDir }: ProbeRequest, host: HostCapabilities) {
  await requireFolder(tempDir, "Sandboxes have their folders there: choose another snapshot_isolation.temp_dir.");
  await requireFolder(
    cacheDir,
    "What this machine can do is kept below `$KAI_HOME`, or in your home folder where that is not set: let it be a folder that you can write to.",
  );
  const folder = await mkdtemp(path.join(tempDir, "kai-probe-"));
  try {
    for (const name of ["lower", "upper", "work"]) await mkdir(path.join(folder, name));
    // Podman gives the upper folder the owner of the lower one.
    if (!host.rootless) await chown(path.join(folder, "lower"), USER.uid, USER.gid);
    const profile = path.join(folder, "seccomp.json");
    await writeFile(profile, JSON.stringify(seccompProfile()));
    const skeleton = await skeletonRoot(path.resolve(cacheDir), USER);
    await symlink(skeleton.path, path.join(folder, "root"));
    const plan: ContainerPlan = {
      name: `kai-probe-${randomUUID()}`,
      labels: {},
      root: { ...skeleton, path: path.join(folder, "root") },
      app: {
        lower: path.join(folder, "lower"),
        upper: path.join(folder, "upper"),
        work: path.join(folder, "work"),
      },
      user: USER,
      security: {
        seccompProfile: profile,
        apparmor: true,
        selinux: true,
        readOnlyRoot: true,
        noNewPrivileges: true,
        capabilities: [],
      },
      limits: { cpus: PROBE_CPUS, memoryBytes: PROBE_MEMORY, pids: PROBE_PIDS, seconds: 30 },
      env: {},
      cgroupParent: undefined,
      command: ["/bin/sh", "-c", PROBE_SCRIPT],
    };
    return await runContainer(plan, host, { env, folder, timeoutMs: 20_000, maxOutput: 65_536 });
  } finally {
    await removeFolder(folder, host.rootless, env);
  }
}

async function requireFolder(folder: string, hint: string): Promise<void> {
  try {
    await makeFolder(path.resolve(folder));
  } catch (cause) {
    throw new KaiError("E118", `No folder can be made at ${folder}: ${reasonOf(cause)}.`, { hint, cause });
  }
}

/** The file system of a folder that may still have to be made. */
async function deviceOf(folder: string): Promise<number> {
  try {
    return (await stat(folder)).dev;
  } catch {
    return deviceOf(path.dirname(path.resolve(folder)));
  }
}

async function readKept(file: string, key: string, now: Date): Promise<HostCapabilities | undefined> {
  try {
    const kept = JSON.parse(await readFile(file, "utf8")) as Kept;
    if (!isKnownForGood(kept.host) && now.getTime() - Date.parse(kept.at) > DOUBTFUL_MS) return undefined;
    // A login shell may have other limits than the one that looked.
    return kept.key === key ? { ...kept.host, limits: await readHostLimits() } : undefined;
  } catch {
    return undefined;
  }
}

interface Kept {
  readonly key: string;
  readonly at: string;
  readonly host: HostCapabilities;
}

/** How long it is believed that a limit does nothing, or was not seen to bite. */
const DOUBTFUL_MS = 10 * 60_000;

/** A limit that was seen to bite will bite again; one that was not, was perhaps measured at a bad moment. */
const isKnownForGood = ({ features }: HostCapabilities): boolean =>
  LIMITS.every((name) => features.some((each) => each.name === name && each.state === "ok" && each.detail !== UNSEEN));

async function keep(file: string, key: string, host: HostCapabilities, now: Date): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  await writeFile(aside, JSON.stringify({ key, at: now.toISOString(), host } satisfies Kept));
  await rename(aside, file);
}

const lastLine = (text: string): string =>
  text
    .trim()
    .split("\n")
    .at(-1)
    // What podman's own format leaves of an error that it has not.
    ?.replace(/^Error: |: %!w\(<nil>\)$/g, "") ?? "";
