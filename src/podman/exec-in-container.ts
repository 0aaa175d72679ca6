import type { ProcessResult } from "../system/process.js";
import { after } from "../system/timer.js";
import type { ContainerUsage } from "./cgroup-usage.js";
import { type CommandStreams, UNREAD } from "./command-streams.js";
import { endExec, uptimeTicks } from "./end-exec.js";
import { execByRuntime, refusedToExecute } from "./exec-by-runtime.js";
import { seeEnd } from "./exec-end.js";
import { watchUsage } from "./exec-usage.js";
import { hasShell } from "./has-shell.js";
import { LastWords } from "./last-words.js";
import { lacksShell, notExecuted, requireExecuted } from "./not-executed.js";
import { readOomKills } from "./oom-kills.js";
import { type ExecRequest, planExec } from "./plan-exec.js";
import { runPodman } from "./podman.js";
import { type ContainerRuntime, findRuntime } from "./runtime-of.js";
import type { RunningContainer } from "./start-container.js";
import { StartMark } from "./start-mark.js";

export interface ExecOptions extends CommandStreams {
  /** The caller's environment: for podman. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds, from the call on. */
  timeoutMs?: number | undefined;
  /** Whether no other execution watches what the container uses; default: true. */
  alone?: boolean | undefined;
  /** A folder of the container's own: where there is one, its runtime is asked rather than podman, if it can be. */
  folder?: string | undefined;
  /** Called as soon as podman is at work: what it does until its end costs no time. */
  onStarted?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExecResult {
  /** 127: no such program; 126: it cannot be executed; 137: killed, after a time-out too; 141: nobody read what it printed. */
  exitCode: number;
  /** From when the command began until it had ended. */
  durationMs: number;
  timedOut: boolean;
  /** Whether memory ran out in the container meanwhile; undefined where the host does not say. */
  oomKilled: boolean | undefined;
  /** Of all that ran in the container meanwhile. */
  usage: ContainerUsage;
}

const KILLED = 137;
/** Podman needs a moment to tell that its process was killed. */
const GRACE_MS = 10_000;

/** How a command gets into a container: by podman, with or without the container's shell, or by what podman itself asks. */
type Way =
  | { readonly by: "shell" }
  | { readonly by: "podman" }
  | { readonly by: "runtime"; readonly runtime: ContainerRuntime; readonly folder: string };

/**
 * Executes a command in a running container, with one call of podman or of its runtime. What it leaves in the background stays; after a
 * time-out or an abort, or where nobody reads what it prints, nothing does that it started. Throws E103 where the container does
 * not run or nothing can begin in it, E122 where the folder is not there; any exit status is a result.
 */
export async function execInContainer(
  container: RunningContainer,
  request: ExecRequest,
  options: ExecOptions,
): Promise<ExecResult> {
  for (const way of await waysInto(container, request, options)) {
    const done = await execute(container, request, options, way);
    if (done !== undefined) return done;
  }
  return (await execute(container, request, options, { by: "podman" })) as ExecResult;
}

/** Those to be tried in front of podman without a shell, which tells why nothing begins. */
async function waysInto(
  container: RunningContainer,
  { user }: ExecRequest,
  { folder }: ExecOptions,
): Promise<readonly Way[]> {
  // An image may have no shell: then podman begins the command itself. Where that cannot be seen nothing began, but what a first
  // attempt was given to read is gone.
  const shell = await hasShell(container);
  if (shell === false) return [];
  // Another user's groups are for podman to find.
  if (!shell || folder === undefined || user !== undefined) return [{ by: "shell" }];
  const runtime = await findRuntime(container);
  return runtime ? [{ by: "runtime", runtime, folder }, { by: "shell" }] : [{ by: "shell" }];
}

/** Undefined where nothing began, and another way may tell why, or do. */
async function execute(
  container: RunningContainer,
  request: ExecRequest,
  options: ExecOptions,
  way: Way,
): Promise<ExecResult | undefined> {
  const { signal, unread, timeoutMs, env } = options;
  signal?.throwIfAborted();
  const since = await uptimeTicks();
  const killsBefore = readOomKills(container);
  const usage = watchUsage(container, { alone: options.alone ?? true });
  const ended = new AbortController();
  let timedOut = false;
  let ending: Promise<unknown> = Promise.resolve();
  const hurried = new AbortController();
  const end = () => {
    hurried.abort();
    ending = endExec(container, request.id, since, env, ended.signal);
  };
  const forget =
    timeoutMs === undefined
      ? undefined
      : after(timeoutMs, () => {
          timedOut = true;
          end();
        });
  for (const each of [signal, unread]) each?.addEventListener("abort", end, { once: true });
  const last = new LastWords(options.onChunk);
  // What the runtime says itself does not come with what the command prints.
  const mark = new StartMark(way.by === "runtime" ? options.onChunk : last.take, {
    ownKernel: container.ownKernel === true,
  });
  let seen: Promise<number> | undefined;
  mark.onBegan = () => {
    seen = seeEnd(container, { id: request.id, since }, ended.signal);
  };
  try {
    const ran = await begin({ container, request, options, way, mark, last, hurried: hurried.signal });
    if (ran === undefined) return undefined;
    const { exitCode = KILLED, durationMs } = ran;
    // Somebody ended the program that waits for the command, which may go on.
    if (ran.signal !== undefined && !timedOut) end();
    ended.abort();
    await ending;
    if (last.isHeld && !timedOut) requireExecuted(container, exitCode);
    last.release();
    signal?.throwIfAborted();
    if (way.by === "podman") requireExecuted(container, exitCode);
    else if (mark.began === undefined && !timedOut) {
      const went = await wentAllTheSame(ran, { container, request, options, way, mark });
      if (!went) return undefined;
    }
    const kills = readOomKills(container);
    return {
      exitCode: timedOut ? KILLED : exitCode === KILLED && unread?.aborted ? UNREAD : exitCode,
      durationMs: Math.max(1, Math.round(mark.began && seen ? (await seen) - mark.began.at : durationMs)),
      timedOut,
      oomKilled: kills === undefined || killsBefore === undefined ? undefined : kills > killsBefore,
      usage: usage(),
    };
  } finally {
    ended.abort();
    forget?.();
    for (const each of [signal, unread]) each?.removeEventListener("abort", end);
  }
}

/**
 * What it means that a command did not say that it began: true where it ran, and somebody in the container took its word away; false
 * where nothing began, and podman may tell why. Never is it begun again while it may have run. E103, E122.
 */
async function wentAllTheSame(
  ran: ProcessResult,
  { container, request, options, way, mark }: Omit<Beginning, "last" | "hurried">,
): Promise<boolean> {
  const byRuntime = way.by === "runtime";
  if (byRuntime && !refusedToExecute(ran)) {
    mark.release();
    return true;
  }
  const words = byRuntime ? ran.stderr.toString() : mark.words;
  if (lacksShell(words) || (byRuntime && options.stdin === undefined)) return false;
  requireExecuted(container, ran.exitCode, words);
  throw notExecuted(container, request.workdir, words);
}

interface Beginning {
  readonly container: RunningContainer;
  readonly request: ExecRequest;
  readonly options: ExecOptions;
  readonly way: Way;
  readonly mark: StartMark;
  readonly last: LastWords;
  /** Aborted: nobody who takes its output is waited for any more. */
  readonly hurried: AbortSignal;
}

/** Begins a command, and waits for its end. Undefined where it was not tried. */
async function begin({
  container,
  request,
  options,
  way,
  mark,
  last,
  hurried,
}: Beginning): Promise<ProcessResult | undefined> {
  const { env, stdin, onStarted } = options;
  const timeoutMs = options.timeoutMs === undefined ? Number.POSITIVE_INFINITY : options.timeoutMs + GRACE_MS;
  // Through the shell: so it is known when it begins, and a program that is not there is the command's own failure (127).
  const script = `${mark.script}${request.first ?? ""}exec "$@"`;
  if (way.by === "runtime") {
    return execByRuntime(
      way.runtime,
      { ...request, script },
      { ...options, folder: way.folder, timeoutMs, take: mark.take, hurried },
    );
  }
  const byShell = way.by === "shell";
  const asked: ExecRequest = byShell
    ? { ...request, command: ["/bin/sh", "-c", script, "sh", ...request.command] }
    : request;
  const running = runPodman(planExec(container, asked, stdin === undefined ? [] : ["--interactive"]), {
    env,
    variables: request.secrets,
    stdin,
    timeoutMs,
    onChunk: byShell ? mark.take : last.take,
    hurried,
  });
  onStarted?.();
  return running;
}
