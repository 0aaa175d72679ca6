import { spawn } from "node:child_process";
import { constants } from "node:os";
import { closed } from "../system/process.js";
import { isAlive } from "../system/process-identity.js";
import { endExec, uptimeTicks } from "./end-exec.js";
import { type ExecRequest, notRunning, planExec } from "./exec-in-container.js";
import { podmanEnvironment } from "./podman.js";
import type { RunningContainer } from "./start-container.js";

export interface TerminalOptions {
  /** The OCI runtime that started the container. */
  runtime: string | undefined;
  /** The caller's environment: for podman; the kind of terminal is handed on. */
  env: NodeJS.ProcessEnv;
  signal?: AbortSignal | undefined;
}

/** What podman says of a container that does not run. */
const NOT_RUNNING = [125, 255];

/**
 * Executes a command with this process's own streams: a terminal of the container's where stdin is one, which is resized and
 * hears Ctrl-C as any other. Gives the exit status; after an abort nothing is left of what it started. Throws E103 where
 * the container does not run.
 */
export async function execAtTerminal(
  container: RunningContainer,
  request: ExecRequest,
  { runtime, env, signal }: TerminalOptions,
): Promise<number> {
  signal?.throwIfAborted();
  if (!(await isAlive(container.process))) throw notRunning(container.name);
  const since = await uptimeTicks();
  const terminal = process.stdin.isTTY ? ["--tty", "--detach-keys", ""] : [];
  const kind = env["TERM"] === undefined ? {} : { TERM: env["TERM"] };
  const asked = { ...request, env: { ...kind, ...request.env } };
  const args = ["--remote=false", ...planExec(container, asked, { runtime, more: ["--interactive", ...terminal] })];
  const child = spawn("podman", args, {
    stdio: "inherit",
    cwd: "/",
    env: { ...request.secrets, ...podmanEnvironment(env) },
  });
  const ended = new AbortController();
  let ending: Promise<unknown> = Promise.resolve();
  const end = () => {
    ending = endExec(container, request.id, since, ended.signal);
  };
  signal?.addEventListener("abort", end, { once: true });
  try {
    const [status, killedBy] = await closed(child, "podman");
    ended.abort();
    await ending;
    signal?.throwIfAborted();
    if (NOT_RUNNING.includes(status ?? 0) && !(await isAlive(container.process))) throw notRunning(container.name);
    return status ?? 128 + constants.signals[killedBy ?? "SIGKILL"];
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
