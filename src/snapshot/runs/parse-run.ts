import { parseCanonicalJson } from "../../operation/canonical-json.js";
import type { EgressRequest } from "../egress/request-log.js";
import type { Artifact, RefusedPath, Resources } from "../execution.js";
import { isSnapshotId } from "../is-snapshot-record.js";
import {
  type Check,
  flag,
  is,
  knownOf,
  listOf,
  mapOf,
  nullOr,
  objectId,
  optional,
  shape,
  text,
  time,
} from "../shape.js";
import type { RunEnvironment } from "./run-environment.js";
import { parseRunIsolation } from "./run-isolation.js";
import type { RunRecord } from "./run-record.js";

const id: Check = (value) => typeof value === "string" && isSnapshotId(value);
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const duration: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const moment: Check = (value) => time(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value as string);
/** Of a run that was kept before all of it was, none: that it is no evidence does not make it no run. */
const settings: Check = Object.assign(() => true, { known: parseRunIsolation });

const isRecord = shape<RunRecord>({
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
  at: moment,
  durationMs: duration,
  exitCode: count,
  timedOut: flag,
  oomKilled: flag,
  resources: shape<Resources>({ peakMemory: optional(duration), cpuMs: optional(duration) }),
  requests: listOf(
    shape<EgressRequest>({
      time: moment,
      method: text,
      host: text,
      port: nullOr(count),
      address: nullOr(text),
      allowed: flag,
      reason: nullOr(text),
      bytesUp: count,
      bytesDown: count,
      durationMs: duration,
    }),
  ),
  requestsDropped: count,
  artifacts: nullOr(
    listOf(shape<Artifact>({ path: text, change: is("added", "modified", "deleted"), notKept: optional(text) })),
  ),
  refused: nullOr(listOf(shape<RefusedPath>({ path: text, reason: text }))),
  artifactsDropped: count,
  outputDropped: count,
  passed: flag,
  failures: listOf(text),
  isolation: shape<RunRecord["isolation"]>({
    network: text,
    filesystem: text,
    process: text,
    image: text,
    imageBase: optional(nullOr(text)),
    unenforced: listOf(text),
    settings,
  }),
  environment: optional(
    shape<RunEnvironment>({
      kernel: text,
      podman: nullOr(text),
      runtime: nullOr(text),
      program: nullOr(shape<NonNullable<RunEnvironment["program"]>>({ path: text, sha256: text })),
      variables: mapOf(nullOr(text)),
      seed: nullOr(count),
      timeZone: nullOr(text),
    }),
  ),
  actor: nullOr(shape<NonNullable<RunRecord["actor"]>>({ name: text, email: text, key: text })),
});

/**
 * Reads a run's message: all that this program, or an earlier version of it, writes of one, and nothing else. Undefined for anything that
 * is none, or not whole: anybody may have written it, and nothing in it is trusted before its signature is.
 */
export function parseRunMessage(message: string): RunRecord | undefined {
  const [, line] = /^[^\n]*\n\n([^\n]+)\n?$/.exec(message) ?? [];
  const value = line === undefined ? undefined : parseCanonicalJson(line)?.value;
  return isRecord(value) ? (knownOf(isRecord, value) as RunRecord) : undefined;
}
