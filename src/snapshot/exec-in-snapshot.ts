import path from "node:path";
import { ulid } from "ulid";
import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import { type ExecResult, execInContainer } from "../podman/exec-in-container.js";
import type { Egress } from "./egress/serve-egress.js";
import type { Execution } from "./execution.js";
import { keepRun } from "./keep-run.js";
import { ExecutionOutput, type OutputStream } from "./sandbox/execution-output.js";
import { openEgress, requestsOf } from "./sandbox/sandbox-network.js";
import { secretsFor } from "./secrets-for.js";
import { isRootless, type SnapshotCaller } from "./snapshot-ground.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { variablesOf } from "./snapshot-settings.js";
import { type KnownSnapshot, SnapshotStore } from "./snapshot-store.js";
import { judgeExpectations } from "./testing/expectations.js";

export interface ExecRequest {
  readonly command: readonly [string, ...string[]];
  /** Inside; relative to /app. */
  readonly workdir?: string | undefined;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  /** Default: that of the snapshot. */
  readonly timeoutMs?: number | undefined;
  readonly onChunk?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
}

/** Runs a command in a snapshot that waits for one, and keeps what came of it. E101, E103, E123. */
export async function execInSnapshot(caller: SnapshotCaller, asked: string, request: ExecRequest): Promise<Execution> {
  const { env, now, signal } = caller;
  const repository = await openRepository(caller.cwd, env);
  const store = new SnapshotStore(repository);
  const { record } = requireRunning(await store.find(asked));
  const at = now();
  const id = ulid(at.getTime());
  const release = await store.lease(record.id, id);
  const container = { name: record.container, process: record.process ?? "" };
  const { settings } = record;
  let egress: Egress | undefined;
  try {
    const secrets = await secretsFor(repository, caller, record);
    if (settings.network.mode === "isolated") {
      egress = await openEgress(container, settings, { rootless: isRootless(), env, signal });
    }
    const output = await ExecutionOutput.open({
      folder: path.join(store.folderOf(record.id), "logs"),
      id,
      secrets: Object.values(secrets),
      onChunk: request.onChunk,
    });
    const { command, user } = request;
    const result = await execInContainer(
      container,
      {
        id,
        command,
        workdir: request.workdir === undefined ? undefined : path.posix.resolve("/app", request.workdir),
        user,
        env: { ...egress?.environment, ...variablesOf(request.env ?? []) },
        secrets,
      },
      {
        env,
        timeoutMs: request.timeoutMs ?? settings.limits.timeoutMs,
        onChunk: output.take,
        signal,
      },
    );
    const kept = await output.end();
    const execution = judged(record, id, result, kept, requestsOf(egress));
    const values = Object.values(secrets);
    const run = {
      snapshot: record,
      execution,
      output: kept,
      command,
      at,
      scenario: null,
      pristine: false,
      secrets: values,
    };
    return { ...execution, run: await keepRun(repository, caller, run), branch: null };
  } finally {
    await egress?.close();
    await release();
  }
}

function judged(
  { id: snapshot, unenforced }: SnapshotRecord,
  id: string,
  result: ExecResult,
  output: { stdout: Buffer; stderr: Buffer; dropped: number },
  asked: ReturnType<typeof requestsOf>,
): Omit<Execution, "run" | "branch"> {
  const observed = {
    exitCode: result.exitCode,
    stdout: output.stdout.toString(),
    durationMs: result.durationMs,
    timedOut: result.timedOut,
    oomKilled: result.oomKilled === true,
    resources: {},
  };
  const failures = judgeExpectations(observed, {});
  return {
    ...observed,
    id,
    snapshot,
    stderr: output.stderr.toString(),
    outputDropped: output.dropped,
    ...asked,
    artifacts: [],
    refused: [],
    artifactsDropped: 0,
    unenforced,
    passed: failures.length === 0,
    failures,
  };
}

/** E103 for a snapshot in which nothing can be run. */
export function requireRunning(known: KnownSnapshot): KnownSnapshot {
  const { record, status, reason } = known;
  if (status === "ready" || status === "running") return known;
  throw new KaiError("E103", `The snapshot ${record.id} is ${status}${reason === null ? "" : `: ${reason}`}.`, {
    hint: "`snapshot diff`, `save` and `commit` still reach its files; `snapshot create` makes another one.",
  });
}
