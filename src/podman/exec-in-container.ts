import { KaiError } from "../error.js";
import { isAlive } from "../system/process-identity.js";
import { EXEC_MARK, endExec, uptimeTicks } from "./end-exec.js";
import { readOomKills } from "./oom-kills.js";
import { environmentArguments } from "./plan-container.js";
import { runPodman } from "./podman.js";
import type { RunningContainer } from "./start-container.js";

export interface ExecRequest {
  /** Of the execution: letters, digits and `-`. Marks its processes. */
  id: string;
  command: readonly [string, ...string[]];
  /** Default: /app. */
  workdir?: string | undefined;
  /** Default: the container's. */
  user?: { uid: number; gid: number } | undefined;
  env?: Readonly<Record<string, string>> | undefined;
  /** As in a container's plan. */
  secrets?: Readonly<Record<string, string>> | undefined;
}

export interface ExecOptions {
  /** The caller's environment: for podman. */
  env: NodeJS.ProcessEnv;
  input?: string | Uint8Array | undefined;
  /** Milliseconds, from the call on. */
  timeoutMs?: number | undefined;
  /** Bytes kept of each stream, where nobody takes them as they come. */
  maxOutput?: number | undefined;
  onChunk?: ((stream: "stdout" | "stderr", chunk: Buffer) => void) | undefined;
  /** Called as soon as podman is at work: what it does until its end costs no time. */
  onStarted?: (() => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExecResult {
  /** 127: no such program or working directory; 126: it cannot be executed; 137: killed, after a time-out too. */
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
  /** Bytes of output that were not kept. */
  dropped: number;
  durationMs: number;
  timedOut: boolean;
  /** Whether memory ran out in the container meanwhile; undefined where the host does not say. */
  oomKilled: boolean | undefined;
}

const KILLED = 137;
/** Podman needs a moment to tell that its process was killed. */
const GRACE_MS = 10_000;

/**
 * Executes a command in a running container, with one call of podman. What it leaves in the background stays; after a
 * time-out or an abort nothing does that it started. Throws E103 where the container does not run; any exit status is a result.
 */
export async function execInContainer(
  container: RunningContainer,
  request: ExecRequest,
  options: ExecOptions,
): Promise<ExecResult> {
  const { signal, timeoutMs, env } = options;
  signal?.throwIfAborted();
  const since = await uptimeTicks();
  const killsBefore = readOomKills(container);
  const ended = new AbortController();
  let timedOut = false;
  let ending: Promise<unknown> = Promise.resolve();
  const end = () => {
    ending = endExec(container, request.id, since, env, ended.signal);
  };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          end();
        }, timeoutMs);
  signal?.addEventListener("abort", end, { once: true });
  try {
    const more = options.input === undefined ? [] : ["--interactive"];
    const running = runPodman(planExec(container, request, more), {
      env,
      variables: request.secrets,
      input: options.input,
      timeoutMs: timeoutMs === undefined ? FOREVER_MS : timeoutMs + GRACE_MS,
      maxOutput: options.maxOutput,
      onChunk: options.onChunk,
    });
    options.onStarted?.();
    const run = await running;
    ended.abort();
    await ending;
    signal?.throwIfAborted();
    await requireExecuted(container, run.exitCode, run.stderr.toString());
    const kills = readOomKills(container);
    return {
      exitCode: timedOut ? KILLED : (run.exitCode ?? KILLED),
      stdout: run.stdout,
      stderr: run.stderr,
      dropped: run.dropped,
      durationMs: run.durationMs,
      timedOut,
      oomKilled: kills === undefined || killsBefore === undefined ? undefined : kills > killsBefore,
    };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** The most that a timer takes. */
const FOREVER_MS = 2 ** 31 - 1;

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
    hint: "`git kai-version snapshot list` shows its state.",
  });
}
