import { rm } from "node:fs/promises";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { pauseAgent } from "../operation/pause-agent.js";
import { copyState, type StateCopies } from "../state/copy-state.js";
import { findStateFiles } from "../state/find-state-files.js";
import type { Stoppable } from "./running-agent.js";
import type { WritingSession } from "./writing-session.js";

/** What was done so that all of the state is of one moment. */
export interface Standstill {
  /** What became of stopping the agent, and how long it was before it was well again; null where it was not stopped. */
  readonly stopped: { readonly ok: boolean; readonly durationMs: number; readonly error: string | null } | null;
  /** Why it was not, a sentence, where files may be of different moments; else null. */
  readonly notStopped: string | null;
}

/** Stops the agent and starts it again; all that is done in between is to copy its files. E126 where it does not start again. */
export async function copyStandingStill(
  { agent, caller, id: operation }: WritingSession,
  located: Repository & { workTree: string },
  { stop, start }: Stoppable,
  scratch: string,
): Promise<Standstill & { readonly copies: StateCopies }> {
  const copy = async (interrupted: AbortSignal) => {
    interrupted.throwIfAborted();
    // Files may have come and gone while it ended.
    const files = await findStateFiles(located, agent.config.version_management.artifacts.state);
    return copyState(located, { files, scratch, standsStill: true, cancelled: interrupted });
  };
  await rm(scratch, { recursive: true, force: true });
  caller.progress("Stopping the agent, so that its state is of one moment");
  const uninterrupted = caller.uninterrupted ?? ((part) => part(new AbortController().signal));
  return uninterrupted(async (interrupted) => {
    interrupted.throwIfAborted();
    const pause = { operation, kind: "create", stop, start };
    const context = { env: caller.env, cancelled: interrupted };
    const paused = await pauseAgent(located, pause, context, () => copy(interrupted));
    const { stopped, worked, started, durationMs } = paused;
    if (!started.ok) throw notStarted(started, worked);
    interrupted.throwIfAborted();
    if (worked.status === "rejected") throw worked.reason;
    return { copies: worked.value, stopped: { ok: stopped.ok, durationMs, error: stopped.error }, notStopped: null };
  });
}

/** No version is made: of whatever was captured, that its agent stands still is what somebody has to be told. */
function notStarted(
  { error, output }: { readonly error: string | null; readonly output: string },
  worked: PromiseSettledResult<unknown>,
): KaiError {
  const why =
    worked.status === "rejected" ? ` Its state could not be captured either: ${messageOf(worked.reason)}` : "";
  return new KaiError("E126", `The agent was stopped to capture its state, and does not start again: ${error}${why}`, {
    hint: "No version was made. Mend what keeps it from starting, and start it; one that stands still is captured as it is.",
    cause: worked.status === "rejected" ? worked.reason : undefined,
    data: { command: "lifecycle.start", output },
  });
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
