import { execAtTerminal } from "../podman/exec-at-terminal.js";
import { hasShell } from "../podman/has-shell.js";
import type { Caller } from "../version/writing-session.js";
import { requestsOf } from "./egress/requests-of.js";
import { endedInside } from "./ended-inside.js";
import type { ExecutionInSnapshot } from "./execution.js";
import { loadKeeper } from "./load-keeper.js";
import { memoryStandIn } from "./sandbox/memory-stand-in.js";
import { whySnapshotEnded } from "./why-snapshot-ended.js";
import { withinSnapshot } from "./within-snapshot.js";

export interface ShellRequest {
  /** Default: the usual one. */
  readonly shell?: string | undefined;
  /** Whether what is printed there all goes to stderr. */
  readonly toStderr?: boolean | undefined;
}

/** `run` is null where nothing was asked of the network, too: then there is nothing to keep. */
export interface EndedShell
  extends Pick<
    ExecutionInSnapshot,
    "id" | "snapshot" | "exitCode" | "requests" | "requestsDropped" | "run" | "snapshotEnded"
  > {
  /** Whether somebody ended Podman itself, and the shell with it. */
  readonly podmanEnded: boolean;
}

/** Whichever is there. */
const USUAL = "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi";

const KILLED = 137;

/** One that is named is begun by another one where there is one, which says well what is not there. */
function shellCommand(shell: string | undefined, first: string, byShell: boolean): [string, ...string[]] {
  if (shell === undefined) return ["/bin/sh", "-c", `${first}${USUAL}`];
  return byShell ? ["/bin/sh", "-c", `${first}exec "$@"`, "sh", shell] : [shell];
}

/**
 * Hands this process's terminal to a shell in a snapshot until that ends. What was asked of the network is kept as a run, without what
 * was typed and printed. E101, E103, E112, E123.
 */
export function shellInSnapshot(caller: Caller, asked: string, { shell, toStderr }: ShellRequest): Promise<EndedShell> {
  const { env, interrupted: signal } = caller;
  return withinSnapshot(caller, asked, async ({ id, at, repository, store, record, container, secrets, egress }) => {
    const first = memoryStandIn(record);
    const command = shellCommand(shell, first, first !== "" || (await hasShell(container)) === true);
    const keeper = egress && loadKeeper(repository, caller);
    const request = { id, command, env: egress?.environment, secrets };
    const { exitCode, podmanEnded } = await execAtTerminal(container, request, { env, toStderr, signal });
    const durationMs = caller.now().getTime() - at.getTime();
    const snapshotEnded = exitCode === KILLED ? await whySnapshotEnded(store, record, caller.now()) : null;
    const { requests, requestsDropped } = requestsOf(egress);
    const ended = {
      id,
      snapshot: record.id,
      exitCode,
      requests,
      requestsDropped,
      snapshotEnded,
      podmanEnded,
      run: null,
    };
    if (keeper === undefined || requests.length === 0) return ended;
    const result = { exitCode, durationMs, timedOut: false, oomKilled: undefined, usage: {} };
    const execution = endedInside(record, id, result, NO_OUTPUT, { requests, requestsDropped });
    const kept = await (await keeper)({
      ...{ snapshot: record, execution, output: NO_OUTPUT, command: shellCommand(shell, "", false), at },
      ...{ scenario: null, pristine: false, secrets: Object.values(secrets) },
      given: { env: record.settings.env, seed: null },
    });
    return { ...ended, run: kept.run, requests: kept.requests };
  });
}

const NO_OUTPUT = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), dropped: 0 };
