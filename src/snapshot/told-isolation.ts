import { isRootless } from "./is-rootless.js";
import type { Opening } from "./opening.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import type { SandboxSecurity } from "./snapshot-settings.js";

/** What isolates a snapshot, as it is told. */
export interface ToldIsolation {
  readonly level: string | null;
  readonly process: string;
  readonly filesystem: string;
  readonly network: string;
  /** Whether a bridge leads outside. */
  readonly allowInternet: boolean;
  readonly allowedHosts: readonly string[];
  readonly namespaces: readonly string[];
  readonly security: SandboxSecurity;
  /** What its kai.yaml opens beyond what is built in. */
  readonly opened: readonly Opening[];
  readonly image: string;
  readonly imageBase: string | null;
  readonly unenforced: readonly string[];
}

export const toldIsolation = ({ settings, opened = [], ...record }: SnapshotRecord): ToldIsolation => ({
  level: settings.level,
  process: settings.process,
  filesystem: settings.filesystem,
  network: settings.network.mode,
  allowInternet: settings.network.allowInternet,
  allowedHosts: settings.network.allowedHosts,
  // An ordinary user's containers always have one.
  namespaces: isRootless() ? [...new Set([...settings.namespaces, "user"])] : settings.namespaces,
  security: settings.security,
  opened,
  image: record.image,
  imageBase: record.imageBase,
  unenforced: record.unenforced,
});
