import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { closed } from "../system/process.js";

export interface TerminalGuard {
  /** Names the process that has the terminal, undefined where it could not be started. */
  watch(pid: number | undefined): void;
  /** Gives the terminal its settings back. */
  end(): Promise<void>;
}

/** Its fd 3 is the terminal, and its stdin ends with the process that watches. */
const SCRIPT = `saved=$(stty -g <&3); echo; read -r pid
if ! read -r ended; then
  kill "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" && sleep 0.05; done
fi
[ -z "$saved" ] || stty "$saved" <&3`;

/**
 * Remembers the settings of the terminal that stdin is, before a program changes them. Where this process ends without a word, by
 * SIGKILL say, that program is ended and the terminal set right all the same.
 */
export async function guardTerminal(env: NodeJS.ProcessEnv): Promise<TerminalGuard> {
  const guard = spawn("/bin/sh", ["-c", SCRIPT], {
    stdio: ["pipe", "pipe", "ignore", 0],
    // In a session of its own no signal to the terminal's group ends it, and none stops it behind the next prompt.
    detached: true,
    env: { PATH: env["PATH"] },
    cwd: "/",
  }) as ChildProcessByStdio<Writable, Readable, null>;
  const ended = closed(guard, "/bin/sh");
  guard.stdin.on("error", () => {});
  await Promise.race([once(guard.stdout, "data"), ended]);
  return {
    watch: (pid) => void guard.stdin.write(`${pid ?? ""}\n`),
    async end() {
      guard.stdin.end("ended\n");
      await ended;
    },
  };
}
