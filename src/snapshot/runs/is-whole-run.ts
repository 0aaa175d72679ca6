import type { EgressRequest } from "../egress/request-log.js";
import type { Artifact, RefusedPath, Resources } from "../execution.js";
import { isSnapshotId } from "../is-snapshot-record.js";
import { flag, is, listOf, mapOf, nullOr, number, objectId, optional, shape, text, time } from "../shape.js";
import type { RunEnvironment } from "./run-environment.js";
import { parseRunIsolation } from "./run-isolation.js";
import type { RunRecord } from "./run-record.js";

const id = (value: unknown): boolean => typeof value === "string" && isSnapshotId(value);

const record = shape<RunRecord>({
  format: is("kai-run/1"),
  id,
  repo: text,
  agent: text,
  version: text,
  tag: text,
  commit: objectId,
  tree: objectId,
  pristine: flag,
  snapshot: nullOr(id),
  scenario: nullOr(shape<NonNullable<RunRecord["scenario"]>>({ name: text, kind: text })),
  scenarioDigest: nullOr(text),
  notCompared: optional(flag),
  command: listOf(text),
  at: time,
  durationMs: number,
  exitCode: number,
  timedOut: flag,
  oomKilled: flag,
  resources: shape<Resources>({ peakMemory: optional(number), cpuMs: optional(number) }),
  requests: listOf(
    shape<EgressRequest>({
      time,
      method: text,
      host: text,
      port: nullOr(number),
      address: nullOr(text),
      allowed: flag,
      reason: nullOr(text),
      bytesUp: number,
      bytesDown: number,
      durationMs: number,
    }),
  ),
  requestsDropped: number,
  artifacts: nullOr(listOf(shape<Artifact>({ path: text, change: text, notKept: optional(text) }))),
  refused: nullOr(listOf(shape<RefusedPath>({ path: text, reason: text }))),
  artifactsDropped: number,
  outputDropped: number,
  passed: flag,
  failures: listOf(text),
  isolation: shape<RunRecord["isolation"]>({
    network: text,
    filesystem: text,
    process: text,
    image: text,
    imageBase: nullOr(text),
    unenforced: listOf(text),
    settings: optional((value) => parseRunIsolation(value) !== undefined),
  }),
  environment: optional(
    shape<RunEnvironment>({
      kernel: text,
      podman: nullOr(text),
      runtime: nullOr(text),
      program: nullOr(shape<NonNullable<RunEnvironment["program"]>>({ path: text, sha256: text })),
      variables: mapOf(nullOr(text)),
      seed: nullOr(number),
      timeZone: nullOr(text),
    }),
  ),
  actor: nullOr(shape<NonNullable<RunRecord["actor"]>>({ name: text, email: text, key: text })),
});

/** Whether all is there that this program, or an earlier version of it, writes of a run: anybody may have written it. */
export const isWholeRun = (value: unknown): value is RunRecord => record(value);
