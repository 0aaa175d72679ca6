import type { ExecResult } from "../podman/exec-in-container.js";
import type { requestsOf } from "./egress/requests-of.js";
import type { EndedExecution } from "./execution.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { judgeExecution } from "./testing/judge-execution.js";
import { toldIsolation } from "./told-isolation.js";

/** What is told of a command that ended in a snapshot that stays. */
export function endedInside(
  record: SnapshotRecord,
  id: string,
  { exitCode, durationMs, timedOut, oomKilled = false, usage: resources }: ExecResult,
  output: { readonly stdout: Buffer; readonly stderr: Buffer; readonly dropped: number },
  asked: ReturnType<typeof requestsOf>,
): EndedExecution {
  return {
    ...judgeExecution({ exitCode, durationMs, timedOut, oomKilled, resources }, output, {}),
    id,
    snapshot: record.id,
    ...asked,
    artifacts: null,
    refused: null,
    artifactsDropped: 0,
    unenforced: record.unenforced,
    isolation: toldIsolation(record),
  };
}
