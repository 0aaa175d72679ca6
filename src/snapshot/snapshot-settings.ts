import { whyNotAllowed } from "../agent/allowed-host.js";
import type { AgentConfig } from "../agent/config.js";
import { parseDuration } from "../agent/quantity.js";
import { KaiError } from "../error.js";
import { proxyEnvironment } from "./egress/proxy-environment.js";
import { type LimitSettings, limitsOf } from "./limit-settings.js";
import type { WantedSecurity } from "./sandbox/requirements.js";

export interface SandboxSecurity extends WantedSecurity {
  readonly readOnlyRoot: boolean;
  readonly noNewPrivileges: boolean;
  readonly capabilities: readonly string[];
  readonly user: { readonly uid: number; readonly gid: number };
}

type Isolation = AgentConfig["snapshot_isolation"];

export const SNAPSHOT_TYPES = ["copy_on_write", "full", "layered", "incremental", "differential"] as const;
export type SnapshotType = (typeof SNAPSHOT_TYPES)[number];
export const ISOLATION_LEVELS = ["development", "testing", "production"] as const;
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number];
export const NETWORK_MODES = ["none", "isolated", "bridge"] as const;
export const FILESYSTEMS = ["overlay", "tmpfs", "none"] as const;
export const PROCESS_ISOLATIONS = ["container", "vm", "none"] as const;
export type Namespace = Isolation["isolation_levels"][IsolationLevel]["namespaces"][number];

/** What the caller asks for beside kai.yaml, as it was written; undefined leaves it to kai.yaml. */
export interface SnapshotOptions {
  readonly type?: SnapshotType | undefined;
  /** Id of the snapshot that a layered one stands on. */
  readonly base?: string | undefined;
  readonly level?: IsolationLevel | undefined;
  readonly network?: (typeof NETWORK_MODES)[number] | undefined;
  readonly allowHosts?: readonly string[];
  readonly filesystem?: (typeof FILESYSTEMS)[number] | undefined;
  readonly process?: (typeof PROCESS_ISOLATIONS)[number] | undefined;
  readonly memory?: string | undefined;
  readonly cpus?: string | undefined;
  readonly storage?: string | undefined;
  readonly pids?: string | undefined;
  readonly bandwidth?: string | undefined;
  readonly gpus?: string | undefined;
  readonly timeout?: string | undefined;
  readonly ttl?: string | undefined;
  /** `NAME=VALUE`. */
  readonly env?: readonly string[];
  /** `NAME` of one that kai.yaml has, or `NAME=env:…`, `NAME=file:…`, `NAME=command:…`. */
  readonly secrets?: readonly string[];
  readonly image?: string | undefined;
  /** Do what the kai.yaml opens of the sandbox, whoever signed it. */
  readonly trustConfig?: boolean;
}

export interface NetworkSettings {
  readonly mode: (typeof NETWORK_MODES)[number];
  readonly allowInternet: boolean;
  readonly allowedHosts: readonly string[];
  readonly subnet: string | null;
}

export interface SecretSource {
  /** `env:NAME`, `file:PATH` or `command:COMMAND`. */
  readonly from: string;
  /** Whether the caller said so, and not kai.yaml. */
  readonly byCaller: boolean;
}

/** What a snapshot is to be: kai.yaml of its version, with what the caller asked for on top. */
export interface SnapshotSettings {
  readonly type: SnapshotType;
  readonly level: IsolationLevel | null;
  readonly filesystem: (typeof FILESYSTEMS)[number];
  readonly process: (typeof PROCESS_ISOLATIONS)[number];
  readonly network: NetworkSettings;
  readonly namespaces: readonly Namespace[];
  readonly limits: LimitSettings;
  readonly security: SandboxSecurity;
  readonly env: Readonly<Record<string, string>>;
  /** Where each secret comes from, by variable; their values are nobody's but the sandbox's. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** `host`, an image's name, or null: what kai.yaml says for the agent's runtime. */
  readonly image: string | null;
  readonly ttlMs: number;
}

/** Without a level: all that podman isolates by itself. */
const USUAL: readonly Namespace[] = ["pid", "mount", "network", "ipc", "uts", "cgroup"];

/** With `process: none` the sandbox's processes are among the host's: all that is its own is what it sees of files and network. */
const namespacesFor = (process: SnapshotSettings["process"], level: readonly Namespace[] | undefined) =>
  process === "none" ? (["mount", "network"] as const) : (level ?? USUAL);

/** Puts the two together. E122 for what means nothing together or cannot be read, E103 where kai.yaml switches snapshots off. */
export function planSettings(isolation: Isolation, options: SnapshotOptions): SnapshotSettings {
  if (!isolation.enable) {
    throw new KaiError("E103", "Snapshots are switched off (snapshot_isolation.enable in kai.yaml).", {
      hint: "Set it to true, commit, and make a version of it.",
    });
  }
  if (isolation.container_runtime !== "podman") {
    throw new KaiError(
      "E103",
      `${isolation.container_runtime} is not supported yet (snapshot_isolation.container_runtime in kai.yaml).`,
      {
        hint: "Set it to podman.",
      },
    );
  }
  const level = options.level === undefined ? undefined : isolation.isolation_levels[options.level];
  const { security } = isolation;
  const network = networkOf(isolation.network, options);
  const env = variablesOf(options.env ?? []);
  const secrets = secretsOf(isolation.secrets, options.secrets ?? []);
  requireOwnNames(Object.keys(secrets));
  if (network.mode === "isolated") requireProxyFree([...Object.keys(env), ...Object.keys(secrets)]);
  return {
    type: typeOf(options),
    level: options.level ?? null,
    filesystem: options.filesystem ?? isolation.filesystem,
    process: options.process ?? isolation.default_isolation,
    network,
    namespaces: namespacesFor(options.process ?? isolation.default_isolation, level?.namespaces),
    limits: limitsOf(isolation.resource_limits, options),
    security: {
      seccomp: security.seccomp,
      apparmor: security.apparmor,
      selinux: security.selinux,
      readOnlyRoot: level?.read_only_root ?? security.read_only_root,
      noNewPrivileges: security.no_new_privileges,
      capabilities: level ? [...new Set([...security.capabilities, ...level.capabilities])] : security.capabilities,
      user: { uid: security.run_as_user, gid: security.run_as_group },
    },
    env,
    secrets,
    image: options.image ?? null,
    ttlMs: parseDuration(options.ttl ?? isolation.cleanup_after),
  };
}

function typeOf({ type, base }: SnapshotOptions): SnapshotType {
  if (base !== undefined && type !== undefined && type !== "layered") {
    throw usage(`--base is for --type layered, and --type is ${type}.`, "Leave one of them out.");
  }
  if (type === "layered" && base === undefined) {
    throw usage("A layered snapshot stands on another one.", "Name it: `--base ID`; `snapshot list` shows them.");
  }
  return base === undefined ? (type ?? "copy_on_write") : "layered";
}

function networkOf(network: Isolation["network"], options: SnapshotOptions): NetworkSettings {
  const mode = options.network ?? network.mode;
  const allowHosts = options.allowHosts ?? [];
  if (allowHosts.length > 0 && mode !== "isolated") {
    throw usage(
      `--allow-host has no meaning with network mode ${mode}.`,
      "Add `--network isolated`: then these hosts can be reached through the proxy, and nothing else.",
    );
  }
  for (const host of allowHosts) {
    const why = whyNotAllowed(host);
    if (why !== undefined) {
      throw usage(
        `--allow-host: ${JSON.stringify(host)} ${why}.`,
        "Name a public host: `api.example.com`, `*.example.com` or `host:8443`.",
      );
    }
  }
  const isMode = (wanted: NetworkSettings["mode"]) => mode === wanted;
  return {
    mode,
    allowInternet: isMode("bridge") && network.allow_internet,
    allowedHosts: isMode("isolated") ? [...new Set([...network.allowed_hosts, ...allowHosts])] : [],
    subnet: isMode("bridge") ? network.subnet : null,
  };
}

/** Variables as `--env NAME=VALUE` writes them. E122. */
export const variablesOf = (written: readonly string[]): Record<string, string> =>
  Object.fromEntries(written.map(variableOf));

function variableOf(written: string): [string, string] {
  const [, name, value] = /^([A-Za-z_]\w{0,127})=([^\0]*)$/s.exec(written) ?? [];
  if (name === undefined || value === undefined) {
    throw usage(`--env takes NAME=VALUE, not ${JSON.stringify(written)}.`);
  }
  return [name, value];
}

const SOURCE = /^(?:env:[A-Za-z_]\w*|file:[\s\S]+|command:[\s\S]+)$/;

/** Those of kai.yaml; with `--secret NAME` only the named ones, with `--secret NAME=SOURCE` from where the caller says. */
function secretsOf(known: Isolation["secrets"], asked: readonly string[]): Record<string, SecretSource> {
  if (asked.length === 0) {
    return Object.fromEntries(Object.entries(known).map(([name, from]) => [name, { from, byCaller: false }]));
  }
  return Object.fromEntries(
    asked.map((written): [string, SecretSource] => {
      const [, name = "", source] = /^([A-Za-z_]\w{0,127})(?:=([\s\S]*))?$/.exec(written) ?? [];
      const from = source ?? known[name];
      if (from !== undefined && SOURCE.test(from)) return [name, { from, byCaller: source !== undefined }];
      if (source === undefined && name !== "") {
        throw usage(
          `kai.yaml has no secret ${name}.`,
          "Name one of `snapshot_isolation.secrets`, or say where it comes from: `--secret NAME=env:VARIABLE`.",
        );
      }
      throw usage("--secret takes NAME, or NAME=env:VARIABLE, NAME=file:PATH or NAME=command:COMMAND.");
    }),
  );
}

/** Variables that a shell sets or uses itself, as dash and bash do: it would not hand on what it is given by that name. */
const OF_SHELLS =
  /^(?:_|__kai_.*|BASH\w*|COMP_\w*|DIRSTACK|EPOCH\w*|EUID|FUNCNAME|GROUPS|HISTCMD|IFS|LINENO|OLDPWD|OPTARG|OPTIND|PIPESTATUS|PPID|PWD|RANDOM|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID)$/;

function requireOwnNames(names: readonly string[]): void {
  const taken = names.find((name) => OF_SHELLS.test(name));
  if (taken === undefined) return;
  throw usage(`${taken} is a shell's own variable, so no secret can have that name.`, "Give the secret another name.");
}

/** Refuses (E122) variables by which programs are told of the proxy, without which they reach nothing. */
function requireProxyFree(names: readonly string[]): void {
  const own = proxyEnvironment(0);
  const taken = names.find((name) => Object.hasOwn(own, name));
  if (taken === undefined) return;
  throw usage(
    `${taken} leads programs to the proxy of network mode isolated, so it can be set to nothing else.`,
    `Leave it out, also of \`secrets\` in kai.yaml; hosts are allowed by \`network.allowed_hosts\` or \`--allow-host\`.`,
  );
}

const usage = (message: string, hint?: string): KaiError => new KaiError("E122", message, { hint });
