import { setTimeout as pause } from "node:timers/promises";
import type { StartCommand } from "./agent-command.js";
import { AGENT_MARK, agentEnvironment } from "./agent-environment.js";
import { endMarked } from "./marked-processes.js";
import { endOf, type ShellEnd, type StartShell } from "./start-shell.js";

export interface StartRequest {
  readonly command: StartCommand;
  /** The caller's environment. */
  readonly env: NodeJS.ProcessEnv;
  /** A descriptor that takes the output. */
  readonly log: number;
  readonly graceMs: number;
  readonly startShell: StartShell;
  /** Something answered the health command before: what it says proves nothing until the start has settled. */
  readonly answeredBefore: boolean;
  /** Asks for health within a time, over and over; null where there is no health command. */
  readonly askHealth: ((limits: HealthLimits) => Promise<HealthAnswer>) | null;
}

export interface HealthLimits {
  readonly withinMs: number;
  readonly cancelled: AbortSignal;
}

export interface HealthAnswer {
  readonly ok: boolean;
  readonly error: string | null;
}

export interface StartResult {
  readonly ok: boolean;
  /** How the command ended; null where it still runs, or was ended here. */
  readonly end: ShellEnd | null;
  /** What the health command complains of. */
  readonly illness: string | null;
}

/** What still runs after this has started, where there is nothing better to tell by. */
const SETTLED_MS = 1000;

/** Starts a command that goes on behind us, and waits until it is well or fails; then what it started is ended. */
export async function attemptStart(request: StartRequest): Promise<StartResult> {
  const { command, env, log, graceMs, startShell } = request;
  const shell = startShell([command.run], {
    cwd: command.cwd,
    env: agentEnvironment(env, { ...command.env, [AGENT_MARK]: command.agent }),
    stdio: ["ignore", log, log],
    log: command.log,
  });
  const { child } = shell;
  let end: ShellEnd | null = null;
  const ended = endOf(child).then((how) => {
    end = how;
    return how;
  });
  const failed = new Promise<void>((resolve) => {
    void ended.then(({ exitCode }) => exitCode !== 0 && resolve());
  });
  const over = new AbortController();
  const health = await Promise.race([failed, isWell(request, ended, over.signal)]);
  over.abort();
  if (health?.ok && hasNotFailed(end)) {
    child.unref();
    return { ok: true, end, illness: null };
  }
  const result = { ok: false, end, illness: hasNotFailed(end) ? (health?.error ?? null) : null };
  await endMarked(command.agent, graceMs);
  if (end === null) await shell.end(0);
  return result;
}

// A function, because the compiler does not see that the variable changes meanwhile.
const hasNotFailed = (end: ShellEnd | null): boolean => end === null || end.exitCode === 0;

async function isWell(
  { command, answeredBefore, askHealth }: StartRequest,
  ended: Promise<ShellEnd>,
  cancelled: AbortSignal,
): Promise<HealthAnswer> {
  const started = performance.now();
  if (askHealth === null || answeredBefore) {
    const settled = Math.min(SETTLED_MS, command.timeoutMs);
    await Promise.race([ended, pause(settled, undefined, { signal: cancelled }).catch(() => {})]);
  }
  if (askHealth === null) return { ok: true, error: null };
  return askHealth({ withinMs: command.timeoutMs - (performance.now() - started), cancelled });
}
