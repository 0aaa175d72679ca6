import { spawn } from "node:child_process";
import { closed } from "../system/process.js";
import { endAbandonedExec } from "./end-abandoned-exec.js";
import { endExec, uptimeTicks } from "./end-exec.js";
import { isThere } from "./exec-end.js";
import { guardTerminal, type TerminalGuard } from "./guard-terminal.js";
import { requireExecuted } from "./not-executed.js";
import { type ExecRequest, planExec } from "./plan-exec.js";
import { podmanEnvironment } from "./podman.js";
import type { RunningContainer } from "./start-container.js";

const KILLED = 137;

export interface TerminalOptions {
  /** The caller's environment: for podman; the kind of terminal is handed on. */
  env: NodeJS.ProcessEnv;
  /** Whether what it prints all goes to stderr: stdout is wanted for something else. */
  toStderr?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface EndedAtTerminal {
  /** 137 where podman itself was ended, too. */
  exitCode: number;
  /** Whether somebody ended podman itself, which then could not tell how the command ended. */
  podmanEnded: boolean;
}

/**
 * Executes a command with this process's own streams: a terminal of the container's where stdin is one, which is resized and
 * hears Ctrl-C as any other, and has its settings back in the end. After an abort, or where podman itself is ended, nothing is left of
 * what it started. Throws E103 where the container does not run.
 */
export async function execAtTerminal(
  container: RunningContainer,
  request: ExecRequest,
  options: TerminalOptions,
): Promise<EndedAtTerminal> {
  const guard = await guardTerminal(options.env);
  try {
    return await execute(container, request, options, guard);
  } finally {
    await guard.end();
  }
}

async function execute(
  container: RunningContainer,
  request: ExecRequest,
  { env, toStderr, signal }: TerminalOptions,
  guard: TerminalGuard,
): Promise<EndedAtTerminal> {
  const since = await uptimeTicks();
  signal?.throwIfAborted();
  const terminal = process.stdin.isTTY ? ["--tty", "--detach-keys", ""] : [];
  const kind = env["TERM"] === undefined ? {} : { TERM: env["TERM"] };
  const asked = { ...request, env: { ...kind, ...request.env } };
  const args = ["--remote=false", ...planExec(container, asked, ["--interactive", ...terminal])];
  const child = spawn("podman", args, {
    stdio: [0, toStderr ? 2 : 1, 2],
    cwd: "/",
    env: podmanEnvironment(env, request.secrets),
  });
  guard.watch(child.pid);
  const ended = new AbortController();
  let ending: Promise<unknown> = Promise.resolve();
  const end = () => {
    ending = endExec(container, request.id, since, env, ended.signal);
  };
  signal?.addEventListener("abort", end, { once: true });
  try {
    const [status, killedBy] = await closed(child, "podman");
    ended.abort();
    await ending;
    // Ended by SIGTERM it tells 0.
    const podmanEnded = killedBy !== null || (await isThere(container, { id: request.id, since }));
    if (podmanEnded) await endAbandonedExec(container, { id: request.id, since }, env);
    signal?.throwIfAborted();
    if (!podmanEnded) requireExecuted(container, status ?? undefined);
    return { exitCode: podmanEnded ? KILLED : (status ?? KILLED), podmanEnded };
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
