import path from "node:path";
import type { LimitSettings } from "./limit-settings.js";
import type { RepositoryPlace } from "./repository-place.js";
import { containerNameOf, sandboxFolderIn } from "./sandbox/sandbox-names.js";
import { absolute, flag, is, listOf, mapOf, nullOr, number, objectId, optional, shape, text, time } from "./shape.js";
import { SNAPSHOT_STATUSES, type SnapshotRecord } from "./snapshot-record.js";

type Settings = SnapshotRecord["settings"];

const wanted = is(true, false, "required");

export const limitSettings = shape<LimitSettings>({
  cpus: number,
  memoryBytes: number,
  storageBytes: number,
  pids: number,
  bandwidth: number,
  gpus: nullOr(text),
  timeoutMs: number,
});

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
  limits: limitSettings,
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
