import { limitSettings } from "../is-snapshot-record.js";
import type { LimitSettings } from "../limit-settings.js";
import { flag, knownOf, listOf, nullOr, number, shape, text } from "../shape.js";
import type { SnapshotSettings } from "../snapshot-settings.js";

/** How a run was confined and what it was given: all that a caller's options can make other than the version asks for. */
export interface RunIsolation {
  readonly process: string;
  readonly namespaces: readonly string[];
  readonly network: {
    readonly mode: string;
    readonly allowInternet: boolean;
    readonly allowedHosts: readonly string[];
  };
  readonly capabilities: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly seccomp: boolean;
  readonly noNewPrivileges: boolean;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly limits: LimitSettings;
  /** Names of the variables and secrets in its environment. */
  readonly env: readonly string[];
  readonly secrets: readonly string[];
  /** The image that the caller named in place of the version's; null for the version's. */
  readonly askedImage: string | null;
}

export const isolationOf = ({
  process,
  namespaces,
  network: { mode, allowInternet, allowedHosts },
  security: { capabilities, readOnlyRoot, seccomp, noNewPrivileges, user },
  limits,
  env,
  secrets,
  image,
}: SnapshotSettings): RunIsolation => ({
  process,
  namespaces,
  network: { mode, allowInternet, allowedHosts },
  capabilities,
  readOnlyRoot,
  seccomp: seccomp !== false,
  noNewPrivileges,
  user,
  limits,
  env: Object.keys(env).sort(),
  secrets: Object.keys(secrets).sort(),
  askedImage: image,
});

const isIsolation = shape<RunIsolation>({
  process: text,
  namespaces: listOf(text),
  network: shape<RunIsolation["network"]>({ mode: text, allowInternet: flag, allowedHosts: listOf(text) }),
  capabilities: listOf(text),
  readOnlyRoot: flag,
  seccomp: flag,
  noNewPrivileges: flag,
  user: shape<RunIsolation["user"]>({ uid: number, gid: number }),
  limits: limitSettings,
  env: listOf(text),
  secrets: listOf(text),
  askedImage: nullOr(text),
});

/** The same from a record that anybody may have written, without what nobody knows; undefined where it is not whole. */
export const parseRunIsolation = (value: unknown): RunIsolation | undefined =>
  isIsolation(value) ? (knownOf(isIsolation, value) as RunIsolation) : undefined;
