import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { makeFolder } from "../system/durable-file.js";
import { after } from "../system/timer.js";
import type { HostCapabilities } from "./capabilities.js";
import { limitProcesses, removeCgroup } from "./cgroup-usage.js";
import { endBuild, killBuild, temporaryOf } from "./end-build.js";
import { type BuildPlan, planBuild } from "./plan-build.js";
import { runPodman } from "./podman.js";
import { removeWorkingContainer } from "./working-container.js";

export interface BuildRequest extends BuildPlan {
  readonly containerfile: string;
  /** Regular files by path, relative and without `..`: all that a COPY finds. */
  readonly context: ReadonlyMap<string, Buffer>;
}

export interface BuildOptions {
  readonly env: NodeJS.ProcessEnv;
  /** A folder of this build's own, which the caller removes. */
  readonly folder: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface BuildResult {
  readonly built: boolean;
  readonly timedOut: boolean;
  /** The end of what it printed. */
  readonly output: string;
}

const KEPT = 8192;
/** What podman may take for itself when all commands have ended: to write the image. */
const WRITING_MS = 10 * 60_000;
/** What it may take to give up when what it waited for was killed. */
const GRACE_MS = 5000;
const PAUSE_MS = 100;

/**
 * Builds an image. What runs in it is ended after `timeoutMs` or when `signal` says so, and podman then takes back what there is
 * of it. A build that fails is a result.
 */
export async function buildImage(
  request: BuildRequest,
  host: HostCapabilities,
  { env, folder, timeoutMs, signal }: BuildOptions,
): Promise<BuildResult> {
  signal?.throwIfAborted();
  const files = await writeFiles(request, folder);
  // Podman's own folders for what runs in a build: by them it is found and ended.
  const temporary = temporaryOf(folder);
  await mkdir(temporary);
  if (request.cgroupParent !== undefined) await limitProcesses(request.cgroupParent, request.limits.pids);
  const time = new AbortController();
  const forget = after(timeoutMs, () => time.abort());
  const ended = new AbortController();
  const ending = endWhen({ time: time.signal, signal, ended: ended.signal }, folder, env);
  let output = "";
  try {
    const { exitCode } = await runPodman(planBuild(request, files, host), {
      env: { ...env, TMPDIR: temporary },
      cwd: folder,
      timeoutMs: timeoutMs + WRITING_MS,
      onChunk: (_, chunk) => {
        output = (output + chunk.toString()).slice(-KEPT);
        return undefined;
      },
    });
    if (exitCode === undefined) await removeWorkingContainer(folder, env);
    signal?.throwIfAborted();
    return { built: exitCode === 0, timedOut: exitCode !== 0 && time.signal.aborted, output };
  } finally {
    forget();
    ended.abort();
    await ending;
    if (request.cgroupParent !== undefined) await removeCgroup(request.cgroupParent);
  }
}

async function writeFiles({ containerfile, context }: BuildRequest, folder: string) {
  const files = {
    containerfile: path.join(folder, "Containerfile"),
    context: path.join(folder, "context"),
    ignore: path.join(folder, "ignore"),
  };
  await writeFile(files.containerfile, containerfile);
  await writeFile(files.ignore, "");
  await mkdir(files.context);
  for (const [name, bytes] of context) {
    const file = path.join(files.context, name);
    await makeFolder(path.dirname(file), 0o777);
    await writeFile(file, bytes);
    // Podman copies the mode, and whoever runs in the sandbox is to read it, whatever the caller's umask.
    await chmod(file, 0o644);
  }
  return files;
}

interface Ends {
  readonly time: AbortSignal;
  readonly signal: AbortSignal | undefined;
  /** Podman has ended. */
  readonly ended: AbortSignal;
}

/**
 * One command may be followed by the next before podman hears of it, so they are ended until podman has. Who interrupts it does not
 * wait for what it writes, nor for one that hangs.
 */
async function endWhen({ time, signal, ended }: Ends, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  let waited = 0;
  while (!ended.aborted) {
    if (time.aborted || signal?.aborted) await endBuild(folder, env);
    if (signal?.aborted && waited++ * PAUSE_MS > GRACE_MS) await killBuild(folder, env);
    await delay(PAUSE_MS, undefined, { signal: ended }).catch(() => {});
  }
}
