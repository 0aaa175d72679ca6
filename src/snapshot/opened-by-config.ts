import { type AgentConfig, builtInIsolation } from "../agent/config.js";
import { isAsOpen, openedLimits, type SandboxUse } from "./limit-openings.js";
import type { Opening } from "./opening.js";
import type { SnapshotOptions } from "./snapshot-settings.js";

type Isolation = AgentConfig["snapshot_isolation"];

/** What a kai.yaml opens beyond what is built in; not what the caller asked for himself, nor what he closes. */
export function openedByConfig(isolation: Isolation, options: SnapshotOptions, use: SandboxUse = {}): Opening[] {
  const usual = builtInIsolation();
  const openings: Opening[] = [];
  const open = (key: string, ...values: readonly string[]) => openings.push(...values.map((value) => ({ key, value })));
  if (options.process === undefined && isolation.default_isolation === "none") open("default_isolation", "none");
  const { security } = isolation;
  for (const name of ["seccomp", "apparmor", "selinux", "no_new_privileges"] as const)
    if (security[name] === false) open(`security.${name}`, "false");
  for (const name of ["run_as_user", "run_as_group"] as const) if (security[name] === 0) open(`security.${name}`, "0");
  open("security.capabilities", ...without(security.capabilities, usual.security.capabilities));
  const level = options.level && isolation.isolation_levels[options.level];
  if (options.level && level) {
    const known = usual.isolation_levels[options.level];
    const key = `isolation_levels.${options.level}`;
    open(`${key}.capabilities`, ...without(level.capabilities, [...known.capabilities, ...security.capabilities]));
    open(`${key}.namespaces`, ...without(known.namespaces, level.namespaces).map((name) => `without ${name}`));
    if (level.read_only_root === false) open(`${key}.read_only_root`, "false");
  }
  if (!(level?.read_only_root ?? security.read_only_root) && level?.read_only_root !== false)
    open("security.read_only_root", "false");
  return [
    ...openings,
    ...openedTempDir(isolation),
    ...openedNetwork(isolation, options),
    ...openedLimits(isolation, options, use),
  ];
}

/** Another folder than the one built in: what is made there may be in somebody's way. */
export const openedTempDir = ({ temp_dir: value }: Isolation): Opening[] =>
  value === builtInIsolation().temp_dir ? [] : [{ key: "temp_dir", value }];

/**
 * A bridge reaches this host, and with `allow_internet` everything that this host does; its subnet may be one that this host reaches
 * elsewhere. Hosts that are listed are told, public, and judged by the proxy: they open something only where they could be sent what the
 * caller gives and does not show.
 */
function openedNetwork(
  { network }: Isolation,
  { network: asked, allowHosts = [], secrets = [] }: SnapshotOptions,
): Opening[] {
  const mode = asked ?? network.mode;
  if (mode === "isolated" && secrets.some((secret) => secret.includes("="))) {
    return without(network.allowed_hosts, allowHosts).map((value) => ({ key: "network.allowed_hosts", value }));
  }
  if (mode !== "bridge") return [];
  const { allow_internet: internet, subnet } = network;
  return [
    ...(asked === undefined ? [{ key: "network.mode", value: mode }] : []),
    ...(internet ? [{ key: "network.allow_internet", value: "true" }] : []),
    ...(subnet === null ? [] : [{ key: "network.subnet", value: subnet }]),
  ];
}

/** Those of `openings` that `known` opens less, or not at all. */
export const openedBeyond = (openings: readonly Opening[], known: readonly Opening[]): Opening[] =>
  openings.filter((opening) => !known.some((each) => isAsOpen(each, opening)));

const without = (all: readonly string[], known: readonly string[]): string[] =>
  all.filter((each) => !known.includes(each));
