import { execAtTerminal } from "../podman/exec-at-terminal.js";
import type { Caller } from "../version/writing-session.js";
import { withinSnapshot } from "./within-snapshot.js";

/** Whichever is there. */
const USUAL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

/** Hands this process's terminal to a shell in a snapshot, and gives the shell's exit status. E101, E103, E112, E123. */
export function shellInSnapshot(caller: Caller, asked: string, shell: string | undefined): Promise<number> {
  const { env, interrupted: signal } = caller;
  const command: [string, ...string[]] = shell === undefined ? ["/bin/sh", "-c", USUAL] : [shell];
  return withinSnapshot(caller, asked, ({ id, container, secrets, egress }) =>
    execAtTerminal(container, { id, command, env: egress?.environment, secrets }, { env, signal }),
  );
}
