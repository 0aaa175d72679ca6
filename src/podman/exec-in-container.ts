import { KaiError } from "../error.js";
import { isAlive } from "../system/process-identity.js";
import { after } from "../system/timer.js";
import type { ContainerUsage } from "./cgroup-usage.js";
import { type CommandStreams, UNREAD } from "./command-streams.js";
import { EXEC_MARK, endExec, uptimeTicks } from "./end-exec.js";
import { seeEnd } from "./exec-end.js";
import { watchUsage } from "./exec-usage.js";
import { hasShell } from "./has-shell.js";
import { LastWords } from "./last-words.js";
import { lacksShell, notExecuted } from "./not-executed.js";
import { readOomKills } from "./oom-kills.js";
import { environmentArguments } from "./plan-container.js";
import { runPodman } from "./podman.js";
import type { RunningContainer } from "./start-container.js";
import { StartMark } from "./start-mark.js";

export interface ExecRequest {
  /** Of the execution: letters, digits and `-`. Marks its processes. */
  id: string;
  command: readonly [string, ...string[]];
  /** Default: /app. */
  workdir?: string | undefined;
  /** Default: the container's. */
  user?: { uid: number; gid: number } | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  /** What a shell does in front of the command, where there is one: commands, each with its semicolon. */
  first?: string | undefined;
  /** As in a container's plan. */
  secrets?: Readonly<Record<string, string>> | undefined;
}

export interface ExecOptions extends CommandStreams {
  /** The caller's environment: for podman. */
  env: NodeJS.ProcessEnv;
  /** Milliseconds, from the call on. */
  timeoutMs?: number | undefined;
  /** Whether no other execution watches what the container uses; default: true. */
  alone?: boolean | undefined;
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

/**
 * Executes a command in a running container, with one call of podman. What it leaves in the background stays; after a
 * time-out or an abort, or where nobody reads what it prints, nothing does that it started. Throws E103 where the container does
 * not run or nothing can begin in it, E122 where the folder is not there; any exit status is a result.
 */
export async function execInContainer(
  container: RunningContainer,
  request: ExecRequest,
  options: ExecOptions,
): Promise<ExecResult> {
  // An image may have no shell: then podman begins the command itself. Where that cannot be seen nothing began, but what a first
  // attempt was given to read is gone.
  const done = (await hasShell(container)) === false ? undefined : await execute(container, request, options, true);
  return done ?? ((await execute(container, request, options, false)) as ExecResult);
}

/** Undefined where it was to begin by a shell, and there is none. */
async function execute(
  container: RunningContainer,
  request: ExecRequest,
  options: ExecOptions,
  byShell: boolean,
): Promise<ExecResult | undefined> {
  const { signal, unread, timeoutMs, env, stdin } = options;
  signal?.throwIfAborted();
  const since = await uptimeTicks();
  const killsBefore = readOomKills(container);
  const usage = watchUsage(container, { alone: options.alone ?? true });
  const ended = new AbortController();
  let timedOut = false;
  let ending: Promise<unknown> = Promise.resolve();
  const end = () => {
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
  const mark = new StartMark(last.take, { ownKernel: container.ownKernel === true });
  let seen: Promise<number> | undefined;
  mark.onBegan = () => {
    seen = seeEnd(container, { id: request.id, since }, ended.signal);
  };
  try {
    const running = runPodman(
      planExec(container, byShell ? marked(request, mark) : request, stdin === undefined ? [] : ["--interactive"]),
      {
        env,
        variables: request.secrets,
        stdin,
        timeoutMs: timeoutMs === undefined ? Number.POSITIVE_INFINITY : timeoutMs + GRACE_MS,
        onChunk: byShell ? mark.take : last.take,
      },
    );
    options.onStarted?.();
    const { exitCode = KILLED, durationMs } = await running;
    ended.abort();
    await ending;
    if (last.isHeld && !timedOut) await requireExecuted(container, exitCode);
    last.release();
    signal?.throwIfAborted();
    if (!byShell) await requireExecuted(container, exitCode);
    else if (mark.began === undefined && !timedOut) {
      if (lacksShell(mark.words)) return undefined;
      await requireExecuted(container, exitCode, mark.words);
      throw notExecuted(container, request.workdir, mark.words);
    }
    const kills = readOomKills(container);
    return {
      exitCode: timedOut ? KILLED : exitCode === KILLED && unread?.aborted ? UNREAD : exitCode,
      durationMs: mark.began && seen ? Math.max(0, (await seen) - mark.began.at) : durationMs,
      timedOut,
      oomKilled: kills === undefined || killsBefore === undefined ? undefined : kills > killsBefore,
      usage: usage(),
    };
  } finally {
    forget?.();
    for (const each of [signal, unread]) each?.removeEventListener("abort", end);
  }
}

/** Through the shell: so it is known when it begins, and a program that is not there is the command's own failure (127). */
const marked = (request: ExecRequest, mark: StartMark): ExecRequest => ({
  ...request,
  command: ["/bin/sh", "-c", `${mark.script}${request.first ?? ""}exec "$@"`, "sh", ...request.command],
});

/** The arguments of `podman` that execute `request`, with `more` options. */
export function planExec(
  container: Pick<RunningContainer, "name">,
  request: ExecRequest,
  more: readonly string[],
): string[] {
  const { user } = request;
  return [
    ...["exec", ...more],
    ...(request.workdir === undefined ? [] : ["--workdir", request.workdir]),
    ...(user === undefined ? [] : ["--user", `${user.uid}:${user.gid}`]),
    ...environmentArguments({ ...request.env, [EXEC_MARK]: request.id }, request.secrets),
    container.name,
    ...request.command,
  ];
}

/** What podman ends with where it could not execute anything, as a command may too. */
const REFUSALS = [125, 255];

/** E103 where podman refused because the container does not run; `stderr` where it was kept. */
export async function requireExecuted(
  container: RunningContainer,
  exitCode: number | undefined,
  stderr = "",
): Promise<void> {
  if (!REFUSALS.includes(exitCode ?? 0)) return;
  const paused = /^Error: .*container state improper$/m.test(stderr);
  if (!paused && (await isAlive(container.process))) return;
  throw new KaiError("E103", `The sandbox ${container.name} ${paused ? "is paused, or ends" : "does not run"}.`, {
    hint: paused
      ? `\`podman unpause ${container.name}\` lets it go on, if somebody paused it by hand; else try again in a moment.`
      : "`git kai-version snapshot list` shows its state.",
  });
}
