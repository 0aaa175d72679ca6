import path from "node:path";
import type { RepositoryPlace } from "./repository-place.js";
import { containerNameOf, sandboxFolderIn } from "./sandbox/sandbox-names.js";
import { SNAPSHOT_STATUSES, type SnapshotRecord } from "./snapshot-record.js";

type Check = (value: unknown) => boolean;

/** All keys of `T` are looked at, which the compiler sees to; what a later version adds is let through. */
function shape<T>(checks: Readonly<Record<keyof T, Check>>): Check {
  const keys = Object.keys(checks) as (keyof T & string)[];
  return (value) => isObject(value) && keys.every((key) => checks[key](value[key]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const number: Check = Number.isFinite;
const time: Check = (value) => typeof value === "string" && !Number.isNaN(Date.parse(value));
const absolute: Check = (value) => typeof value === "string" && path.isAbsolute(value);
// Handed to git, where a word that begins with a dash is an option.
const objectId: Check = (value) => typeof value === "string" && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
const is =
  (...values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);
const nullOr =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const mapOf =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);

type Settings = SnapshotRecord["settings"];

const wanted = is(true, false, "required");

const settings = shape<Settings>({
  type: text,
  level: nullOr(text),
  filesystem: text,
  process: text,
  network: shape<Settings["network"]>({
    mode: text,
    allowInternet: flag,
    allowedHosts: listOf(text),
    subnet: nullOr(text),
  }),
  namespaces: listOf(text),
  limits: shape<Settings["limits"]>({
    cpus: number,
    memoryBytes: number,
    storageBytes: number,
    pids: number,
    bandwidth: number,
    gpus: nullOr(text),
    timeoutMs: number,
  }),
  security: shape<Settings["security"]>({
    seccomp: wanted,
    apparmor: wanted,
    selinux: wanted,
    readOnlyRoot: flag,
    noNewPrivileges: flag,
    capabilities: listOf(text),
    user: shape<Settings["security"]["user"]>({ uid: number, gid: number }),
  }),
  env: mapOf(text),
  secrets: mapOf(shape<Settings["secrets"][string]>({ from: text, byCaller: flag })),
  image: nullOr(text),
  ttlMs: number,
});

const place = shape<RepositoryPlace>({ path: text, device: text, inode: text });

const record = shape<SnapshotRecord>({
  format: is("kai-snapshot/1"),
  id: (value) => typeof value === "string" && isSnapshotId(value),
  repository: optional(place),
  agent: text,
  version: text,
  tag: text,
  commit: objectId,
  tree: objectId,
  base: nullOr(text),
  settings,
  image: text,
  imageBase: nullOr(text),
  unenforced: listOf(text),
  opened: optional(listOf(shape<NonNullable<SnapshotRecord["opened"]>[number]>({ key: text, value: text }))),
  createdAt: time,
  expiresAt: time,
  folder: absolute,
  lower: absolute,
  container: text,
  runtime: nullOr(text),
  podman: optional(nullOr(text)),
  throwAway: flag,
  owner: text,
  process: nullOr(text),
  status: is(...SNAPSHOT_STATUSES.filter((status) => status !== "running")),
  reason: nullOr(text),
  saved: nullOr(objectId),
  committed: nullOr(objectId),
  destroyer: optional(text),
});

/** Whether it may be the id of a snapshot: a ULID. */
export const isSnapshotId = (name: string): boolean => /^[0-9A-HJKMNP-TV-Z]{26}$/.test(name);

export const isRepositoryPlace = (value: unknown): value is RepositoryPlace => place(value);

/**
 * Whether it is the record of a snapshot, of this version of the program or an earlier one. Folder and container are deleted by what
 * it says, and it may have come with an unpacked archive: they must be called as this id's are.
 */
export function isSnapshotRecord(value: unknown): value is SnapshotRecord {
  if (!record(value)) return false;
  const { id, folder, container } = value as SnapshotRecord;
  return folder === sandboxFolderIn(path.dirname(folder), id) && container === containerNameOf(id);
}
