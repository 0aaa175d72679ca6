import { randomUUID } from "node:crypto";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { release } from "node:os";
import path from "node:path";
import type { Feature, HostCapabilities } from "./capabilities.js";
import { readHostLimits } from "./host-limits.js";
import { installedPodman } from "./installed-podman.js";
import { judgeFeatures, type PodmanInfo, type ProbeOutcome, UNSEEN } from "./judge-features.js";
import { INSTALL_PODMAN } from "./podman.js";
import { readPodmanInfo } from "./podman-info.js";
import { type ProbePlaces, withProbePlan } from "./probe-sandbox.js";
import { PROBE_CPUS, PROBE_MEMORY, PROBE_PIDS, PROBE_SCRIPT, parseProbe } from "./probe-script.js";
import { type ContainerResult, runContainer } from "./run-container.js";
import { hasQuota } from "./volume.js";

export interface ProbeRequest extends ProbePlaces {
  /** When it is; default: the clock. */
  now?: (() => Date) | undefined;
  /** Look again although the answer is kept, after a run that failed. */
  refresh?: boolean;
}

const CACHE_FORMAT = 3;
const LIMITS = ["memory", "cpu", "pids"] as const;

/**
 * What this machine gives a sandbox, by starting one and hitting its limits (about a second). Kept by podman's files,
 * kernel, user and file system. A missing podman is a feature that is missing, not an error.
 */
export async function probeHost(request: ProbeRequest): Promise<HostCapabilities> {
  const installed = installedPodman(request.env);
  if (installed === undefined) return withoutSandboxes(undefined, NOT_INSTALLED);
  const key = [CACHE_FORMAT, installed, release(), process.getuid?.(), await deviceOf(request.tempDir)].join(" ");
  const file = path.join(request.cacheDir, "podman-host.json");
  const now = request.now?.() ?? new Date();
  if (!request.refresh) {
    const kept = await readKept(file, key, now);
    if (kept) return kept;
  }
  const info = await readPodmanInfo(request.env);
  if (typeof info === "string") {
    const remedy = "Mend what podman says, then try `podman info`.";
    return withoutSandboxes("unknown", { name: "podman", state: "missing", detail: info, remedy });
  }
  const found = await probe(request, info);
  // Only a machine that can start a sandbox is remembered: what is missing may be mended the next minute.
  if (found.runtime !== undefined) await keep(file, key, found, now);
  return found;
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
  const runtimes = new Set([first, info.defaultRuntime, "crun", "runc"]);
  for (const { runtime, limited, overlay } of attemptsWith(runtimes)) {
    const limits = (limited ? LIMITS : []).map((name): Feature => ({ name, state: "ok", detail: "" }));
    const features: Feature[] = overlay ? limits : [...limits, { name: "overlay", state: "missing", detail: "" }];
    const result = await runProbe(request, { ...host, runtime, features });
    if (result.started) {
      const facts = new Map(parseProbe(result.stdout.toString()));
      if (!overlay) facts.delete("overlay");
      const refused = overlay ? refusals : [];
      return { runtime, refusals: refused, facts, limited, oomKilled: result.oomKilled, quota };
    }
    if (!limited && overlay) refusals.push({ runtime, reason: lastLine(result.stderr.toString()) });
  }
  return { runtime: undefined, refusals, facts: new Map(), limited: false, oomKilled: false, quota };
}

/**
 * Without the right to set a limit some versions start nothing, so the second try of each asks for none; over a file system that can have no
 * overlay, such as another overlay, nothing starts with one, so all are tried again without.
 */
const attemptsWith = (runtimes: ReadonlySet<string>) =>
  [true, false].flatMap((overlay) =>
    [...runtimes].flatMap((runtime) => [true, false].map((limited) => ({ runtime, limited, overlay }))),
  );

const runProbe = (request: ProbeRequest, host: HostCapabilities): Promise<ContainerResult> =>
  withProbePlan(
    request,
    host,
    { limits: { cpus: PROBE_CPUS, memoryBytes: PROBE_MEMORY, pids: PROBE_PIDS } },
    (plan, folder) =>
      runContainer({ ...plan, command: ["/bin/sh", "-c", PROBE_SCRIPT] }, host, {
        env: request.env,
        folder,
        timeoutMs: 20_000,
        maxOutput: 65_536,
      }),
  );

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
