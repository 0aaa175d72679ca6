import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { identityOf } from "../system/process-identity.js";
import { pause } from "../system/timer.js";
import type { HostCapabilities } from "./capabilities.js";
import { type ContainerUsage, readUsage } from "./cgroup-usage.js";
import { type CommandStreams, UNREAD } from "./command-streams.js";
import { mountOverlays } from "./mount-overlay.js";
import { type ContainerPlan, planContainer } from "./plan-container.js";
import { runPodman } from "./podman.js";
import { removeContainer } from "./remove-container.js";
import type { RunningContainer } from "./start-container.js";
import type { StartMark } from "./start-mark.js";

export interface ContainerRunOptions extends CommandStreams {
  env: NodeJS.ProcessEnv;
  /** A folder of this container's own: its monitor tells there that memory ran out. */
  folder: string;
  timeoutMs: number;
  /** Bytes kept of each stream, where nobody takes them as they come. */
  maxOutput?: number | undefined;
  /** Where its shell says that the command begins, as the plan's command does by `script`; takes what it prints. */
  mark?: StartMark | undefined;
  /** What its shell reads before all else. */
  given?: string | undefined;
  /**
   * Is done when the container's process is there, which waits for it by reading a line; takes `pidFile` in the plan. Its failure
   * ends the container.
   */
  before?: ((container: RunningContainer) => Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ContainerResult {
  /** False where podman could not start it; then `stderr`, or the mark, holds podman's reason. */
  started: boolean;
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
  /** Bytes of output that were not kept. */
  dropped: number;
  /** From when the command began, where a mark says that, else from when podman had started the container. */
  durationMs: number;
  timedOut: boolean;
  oomKilled: boolean;
  usage: ContainerUsage;
}

interface ContainerState {
  Status: string;
  ExitCode: number;
  OOMKilled: boolean;
  StartedAt: string;
  FinishedAt: string;
}

const START_BUDGET_MS = 60_000;
const KILLED = 137;

/** Runs a container to its end, its time-out or the abort, and leaves nothing of it behind. */
export async function runContainer(
  plan: ContainerPlan,
  host: HostCapabilities,
  options: ContainerRunOptions,
): Promise<ContainerResult> {
  options.signal?.throwIfAborted();
  const { env, folder, given = "" } = options;
  const ended = new AbortController();
  const late = new AbortController();
  const hurried = [late.signal, options.signal, options.unread].filter((each) => each !== undefined);
  let timedOut = false;
  const ready = await mountOverlays(plan, host, env);
  try {
    const watch = watchTime(plan.name, options, ended.signal, () => {
      timedOut = true;
      late.abort();
    });
    const abort = removeOnAbort(plan.name, env, options.signal, ended.signal);
    const unread = killUnread(plan.name, options, ended.signal);
    const begin = options.before && makeReady(plan, options.before, ended.signal);
    const run = await runPodman(planContainer(ready, host), {
      env,
      cwd: folder,
      timeoutMs: options.timeoutMs + 2 * START_BUDGET_MS,
      maxOutput: options.maxOutput,
      onChunk: options.mark?.take ?? options.onChunk,
      hurried: AbortSignal.any(hurried),
      input: begin ? begin.then((line) => given + line) : given,
      stdin: options.stdin,
    });
    ended.abort();
    await Promise.all([watch, abort, unread, begin]);
    options.signal?.throwIfAborted();
    const state = await inspect(plan.name, env);
    return {
      started: state !== undefined && startOf(state) !== undefined,
      exitCode: exitCodeOf(run.exitCode ?? KILLED, { timedOut, unread: options.unread?.aborted === true }),
      stdout: run.stdout,
      stderr: run.stderr,
      dropped: run.dropped,
      durationMs: state ? durationOf(state, options.mark?.began?.time) : run.durationMs,
      timedOut,
      oomKilled: state?.OOMKilled === true || (await exists(path.join(folder, "oom"))),
      usage: plan.cgroupParent === undefined ? {} : await readUsage(plan.cgroupParent),
    };
  } finally {
    ended.abort();
    await removeContainer(plan.name, env);
  }
}

function exitCodeOf(exitCode: number, { timedOut, unread }: { timedOut: boolean; unread: boolean }): number {
  if (timedOut) return KILLED;
  return exitCode === KILLED && unread ? UNREAD : exitCode;
}

const PID_PAUSE_MS = 5;

/** Waits for the container's process, has it made ready, and gives the line that it waits for; empty where it ended before. */
async function makeReady(
  { name, pidFile = "" }: ContainerPlan,
  before: NonNullable<ContainerRunOptions["before"]>,
  ended: AbortSignal,
): Promise<string> {
  while (await pause(PID_PAUSE_MS, ended)) {
    const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
    const identity = pid > 0 ? identityOf(pid) : undefined;
    if (identity === undefined) continue;
    await before({ name, process: identity });
    return "\n";
  }
  return "";
}

/** Kills the container when it has run for its time, counted from its own start and not from podman's. */
async function watchTime(
  name: string,
  { env, timeoutMs }: ContainerRunOptions,
  ended: AbortSignal,
  onTimeout: () => void,
): Promise<void> {
  const patience = performance.now() + timeoutMs + START_BUDGET_MS;
  let wait = timeoutMs;
  while (await pause(wait, ended)) {
    const state = await inspect(name, env);
    const started = state && startOf(state);
    const left = started === undefined ? 250 : started + timeoutMs - Date.now();
    wait = Math.max(left, 20);
    if (left > 0 && performance.now() < patience) continue;
    if (ended.aborted) return;
    onTimeout();
    await runPodman(["kill", "--signal", "KILL", name], { env });
    return;
  }
}

/** Kills the container when nobody reads any more what it prints. */
async function killUnread(name: string, { env, unread }: ContainerRunOptions, ended: AbortSignal): Promise<void> {
  if (!unread) return;
  await eitherAborted(unread, ended);
  while (!ended.aborted) {
    await runPodman(["kill", "--signal", "KILL", name], { env });
    await pause(100, ended);
  }
}

/** An abort may come before podman has made the container, so it is removed until podman has ended. */
async function removeOnAbort(
  name: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
  ended: AbortSignal,
): Promise<void> {
  if (!signal) return;
  await eitherAborted(signal, ended);
  while (!ended.aborted) {
    await removeContainer(name, env);
    await pause(100, ended);
  }
}

/** Nothing listens to either any more when one of them is. */
function eitherAborted(first: AbortSignal, second: AbortSignal): Promise<void> {
  const both = [first, second];
  return new Promise((resolve) => {
    const done = () => {
      for (const each of both) each.removeEventListener("abort", done);
      resolve();
    };
    for (const each of both) each.addEventListener("abort", done);
    if (both.some((each) => each.aborted)) done();
  });
}

async function inspect(name: string, env: NodeJS.ProcessEnv): Promise<ContainerState | undefined> {
  const result = await runPodman(["container", "inspect", "--format", "{{json .State}}", name], { env });
  return result.exitCode === 0 ? (JSON.parse(result.stdout.toString()) as ContainerState) : undefined;
}

/** Milliseconds since the epoch; a container that never started says the year 1. */
function startOf(state: ContainerState): number | undefined {
  const started = Date.parse(state.StartedAt);
  return started > 0 ? started : undefined;
}

/** Podman's own time of the start is when the command has run for a while already, or has ended. No clock here is finer than this. */
const durationOf = (state: ContainerState, began: number | undefined): number =>
  Math.max(1, Date.parse(state.FinishedAt) - (began ?? Date.parse(state.StartedAt)));

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
