import { execAtTerminal } from "../podman/exec-at-terminal.js";
import type { Caller } from "../version/writing-session.js";
import { memoryStandIn } from "./sandbox/memory-stand-in.js";
import { type SnapshotEnd, whySnapshotEnded } from "./why-snapshot-ended.js";
import { withinSnapshot } from "./within-snapshot.js";

export interface EndedShell {
  /** The shell's own. */
  readonly exitCode: number;
  /** Why the snapshot ended under it; null where it goes on. */
  readonly snapshotEnded: SnapshotEnd | null;
}

/** Whichever is there. */
const USUAL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

const KILLED = 137;

/** One that is named need not be begun by another one, unless that has something to do first. */
function shellCommand(shell: string | undefined, first: string): [string, ...string[]] {
  if (shell === undefined) return ["/bin/sh", "-c", `${first}${USUAL}`];
  return first === "" ? [shell] : ["/bin/sh", "-c", `${first}exec "$0"`, shell];
}

/** Hands this process's terminal to a shell in a snapshot until that ends. E101, E103, E112, E123. */
export function shellInSnapshot(caller: Caller, asked: string, shell: string | undefined): Promise<EndedShell> {
  const { env, interrupted: signal } = caller;
  return withinSnapshot(caller, asked, async ({ id, store, record, container, secrets, egress }) => {
    const command = shellCommand(shell, memoryStandIn(record));
    const asked = { id, command, env: egress?.environment, secrets };
    const exitCode = await execAtTerminal(container, asked, { env, signal });
    const snapshotEnded = exitCode === KILLED ? await whySnapshotEnded(store, record, caller.now()) : null;
    return { exitCode, snapshotEnded };
  });
}
