import type { LimitSettings } from "../limit-settings.js";
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

/** The same from a record that anybody may have written; undefined where it is not whole. */
export function parseRunIsolation(value: unknown): RunIsolation | undefined {
  const it = fieldsOf(value);
  const network = fieldsOf(it["network"]);
  const limits = fieldsOf(it["limits"]);
  const isWhole =
    typeof it["process"] === "string" &&
    ["readOnlyRoot", "seccomp", "noNewPrivileges"].every((name) => typeof it[name] === "boolean") &&
    ["uid", "gid"].every((name) => typeof fieldsOf(it["user"])[name] === "number") &&
    isTextOrNull(it["askedImage"]) &&
    [it["namespaces"], it["capabilities"], it["env"], it["secrets"], network["allowedHosts"]].every(isTexts) &&
    typeof network["mode"] === "string" &&
    typeof network["allowInternet"] === "boolean" &&
    NUMBERS.every((name) => typeof limits[name] === "number") &&
    isTextOrNull(limits["gpus"]);
  return isWhole ? (value as RunIsolation) : undefined;
}

const NUMBERS = ["cpus", "memoryBytes", "storageBytes", "pids", "bandwidth", "timeoutMs"] as const;

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === "string";

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((each: unknown) => typeof each === "string");
