import path from "node:path";
import { KaiError } from "../error.js";
import type { CommandStreams } from "../podman/command-streams.js";
import { execInContainer } from "../podman/exec-in-container.js";
import type { Caller } from "../version/writing-session.js";
import { requestsOf } from "./egress/requests-of.js";
import { endedInside } from "./ended-inside.js";
import type { ExecutionInSnapshot } from "./execution.js";
import { removeExecutionLog, writeExecutionLog } from "./execution-log.js";
import { loadKeeper } from "./load-keeper.js";
import { maskText, maskWords } from "./runs/redact.js";
import { seedFor, seedVariables } from "./runs/run-environment.js";
import { ExecutionOutput } from "./sandbox/execution-output.js";
import { memoryStandIn } from "./sandbox/memory-stand-in.js";
import { variablesOf } from "./snapshot-settings.js";
import { whySnapshotEnded } from "./why-snapshot-ended.js";
import { withinSnapshot } from "./within-snapshot.js";

export interface ExecRequest extends CommandStreams {
  readonly command: readonly [string, ...string[]];
  /** Inside; relative to /app. */
  readonly workdir?: string | undefined;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  /** Default: that of the snapshot. */
  readonly timeoutMs?: number | undefined;
}

const KILLED = 137;

/** What a shell of the sandbox said may be quoted in it. */
const maskError = ({ code, message, hint }: KaiError, secrets: readonly string[]): KaiError =>
  new KaiError(code, maskText(message, secrets), { hint });

/** Runs a command in a snapshot that waits for one, and keeps what came of it. E101, E103, E112, E122, E123. */
export function execInSnapshot(caller: Caller, asked: string, request: ExecRequest): Promise<ExecutionInSnapshot> {
  const { env, interrupted: signal } = caller;
  return withinSnapshot(caller, asked, async ({ id, at, repository, store, record, container, secrets, egress }) => {
    const values = Object.values(secrets);
    const folder = store.logsOf(record.id);
    const output = await ExecutionOutput.open({
      folder,
      id,
      secrets: values,
      onChunk: request.onChunk,
    });
    const { command, user, workdir } = request;
    const variables = variablesOf(request.env ?? []);
    const variablesGiven = { ...record.settings.env, ...variables };
    const given = { env: variablesGiven, seed: seedFor(variablesGiven) };
    const log = { at: at.toISOString(), command: maskWords(command, values) };
    await writeExecutionLog(folder, id, { ...log, exitCode: null });
    // While podman is at work.
    let keeping: ReturnType<typeof loadKeeper> | undefined;
    const onStarted = () => {
      keeping = loadKeeper(repository, caller);
    };
    const result = await execInContainer(
      container,
      {
        id,
        command,
        workdir: workdir === undefined ? undefined : path.posix.resolve("/app", workdir),
        user,
        env: { ...seedVariables(given.seed, given.env), ...egress?.environment, ...variables },
        first: memoryStandIn(record),
        secrets,
      },
      {
        env,
        timeoutMs: request.timeoutMs ?? record.settings.limits.timeoutMs,
        stdin: request.stdin,
        onChunk: output.take,
        unread: request.unread,
        folder: record.folder,
        alone: store.executionsOf(record.id).size === 1,
        signal,
        onStarted,
      },
    ).catch(async (cause: unknown) => {
      await output.end();
      if (!signal?.aborted) await removeExecutionLog(folder, id);
      throw cause instanceof KaiError ? maskError(cause, values) : cause;
    });
    const wasKilled = result.exitCode === KILLED && !result.timedOut;
    const snapshotEnded = wasKilled ? await whySnapshotEnded(store, record, caller.now()) : null;
    await writeExecutionLog(folder, id, { ...log, exitCode: result.exitCode });
    const kept = await output.end();
    const execution = endedInside(record, id, result, kept, requestsOf(egress));
    const run = { snapshot: record, execution, output: kept, command, at, scenario: null, pristine: false, given };
    const keepRun = await (keeping ?? loadKeeper(repository, caller));
    return {
      ...execution,
      ...(await keepRun({ ...run, secrets: values })),
      branch: null,
      executable: [],
      notCommitted: null,
      snapshotEnded,
    };
  });
}
