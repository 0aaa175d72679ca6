import { ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";

export interface ShellOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: SpawnOptions["stdio"];
  /** The file that descriptors in `stdio` append to: what goes on behind the shell writes there, too. */
  readonly log?: string | undefined;
}

/** A shell that was started, wherever that is. */
export interface StartedShell {
  /** Has the shell's streams, and ends as it does. */
  readonly child: ChildProcess;
  /** The number on this host of the process that leads its session; undefined where it ended before it was seen. */
  leader(): Promise<number | undefined>;
  /** Ends all of its process group: SIGTERM, and SIGKILL for what is there after `graceMs`. */
  end(graceMs: number): Promise<void>;
}

/** Starts `/bin/sh -c` with these arguments in a session of its own: on this host, or in a container on it. */
export type StartShell = (args: readonly string[], options: ShellOptions) => StartedShell;

/** On this host: no terminal that hangs up, no Ctrl-C meant for us. */
export const startShellHere: StartShell = (args, { cwd, env, stdio }) => {
  const child = spawnDetached("/bin/sh", ["-c", ...args], { cwd, env, stdio });
  return { child, leader: async () => child.pid, end: (graceMs) => endGroup(child.pid, graceMs) };
};

/** Starts a program in a session of its own. What keeps it from starting is its end, whichever way Node tells it. */
export function spawnDetached(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(file, args, { ...options, detached: true });
  } catch (cause) {
    // Too long for the system, or a NUL in it.
    const child = new ChildProcess();
    setImmediate(() => child.emit("error", cause));
    return child;
  }
}

export interface ShellEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly problem: string | null;
}

/** How a started shell ended; that it could not be started is an end too. */
export function endOf(child: ChildProcess): Promise<ShellEnd> {
  return new Promise((resolve) => {
    child.once("error", (cause) => resolve({ exitCode: null, signal: null, problem: cause.message }));
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal, problem: null }));
  });
}

/** Ends a process group of this host by its leader: SIGTERM, and SIGKILL for what is there after `graceMs`. */
export async function endGroup(leader: number | undefined, graceMs: number): Promise<void> {
  if (leader === undefined) return;
  const until = performance.now() + graceMs;
  if (graceMs > 0) {
    signalGroup(leader, "SIGTERM");
    // One that is stopped hears the former only now.
    signalGroup(leader, "SIGCONT");
  }
  while (performance.now() < until && signalGroup(leader, 0)) await pause(20);
  signalGroup(leader, "SIGKILL");
}

/** Whether there was anybody in the group. */
function signalGroup(leader: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-leader, signal);
  } catch {
    return false;
  }
}
