import { requireMessage } from "../snapshot/commit/require-message.js";
import {
  FILESYSTEMS,
  ISOLATION_LEVELS,
  NETWORK_MODES,
  PROCESS_ISOLATIONS,
  SNAPSHOT_TYPES,
  type SnapshotOptions,
} from "../snapshot/snapshot-settings.js";
import { choice, flag, list, value } from "./define-command.js";

/** What isolates and limits one run; each goes before what the version's kai.yaml says. */
export const isolationOptions = {
  level: choice(ISOLATION_LEVELS, "namespaces, capabilities and root of this level of kai.yaml"),
  network: choice(NETWORK_MODES, "none: nothing; isolated: allowed hosts, through a proxy; bridge: Podman's network"),
  allowHost: list("HOST", "a host that can be reached, with a port if need be (network isolated); may be given again"),
  filesystem: choice(FILESYSTEMS, "overlay: over the shared files; tmpfs: the same in memory; none: a copy"),
  process: choice(PROCESS_ISOLATIONS, "container; vm: with a kernel of its own; none: host's processes are seen"),
  memory: value("SIZE", "the most memory, e.g. 512Mi"),
  cpus: value("N", "processors, e.g. 0.5"),
  storage: value("SIZE", "the most that may be written"),
  pids: value("N", "processes and threads"),
  bandwidth: value("RATE", "the network's, e.g. 10Mbps"),
  gpus: value("G", "how many GPUs, or all"),
  timeout: value("TIME", "the most time for a command or a scenario, e.g. 30s"),
  env: list("NAME=VALUE", "a variable for it; may be given again"),
  secret: list("NAME", "only this secret of kai.yaml, or NAME=env:VAR, NAME=file:PATH, NAME=command:CMD"),
  image: value("IMAGE", "a local image, used as it is, or `host`: this machine's own programs"),
  trustConfig: flag("do what kai.yaml opens of the sandbox, whoever signed it (see E112)"),
  noWait: flag("end with 4 where max_concurrent snapshots live already, instead of waiting"),
} as const;

/** Of a run that is gone afterwards. */
export const commitOptions = {
  commit: flag("make what it changed a branch to review, where it passed (see rollback_on_error)"),
  allowExecutable: flag("with --commit: take changes of what later runs on a host, too"),
  message: value("TEXT", "with --commit: the commit's message", { short: "m" }),
} as const;

/** Undefined leaves it to the version's `commit_changes`. */
export function commitFrom({
  commit,
  allowExecutable,
  message,
}: CommitOptions): Omit<CommitOptions, "commit"> | undefined {
  requireMessage(message);
  return commit || allowExecutable || message !== undefined ? { allowExecutable, message } : undefined;
}

interface CommitOptions {
  readonly commit: boolean;
  readonly allowExecutable: boolean;
  readonly message: string | undefined;
}

/** The same, for a snapshot that is kept. */
export const snapshotOptions = {
  type: choice(SNAPSHOT_TYPES, "how its files are made and saved; default: copy_on_write"),
  base: value("ID", "the saved snapshot that it stands on (type layered)"),
  ...isolationOptions,
  ttl: value("TIME", "when it may be pruned, e.g. 2h; default: cleanup_after"),
} as const;

interface Input {
  readonly type?: SnapshotOptions["type"];
  readonly base?: string | undefined;
  readonly level: SnapshotOptions["level"];
  readonly network: SnapshotOptions["network"];
  readonly allowHost: readonly string[];
  readonly filesystem: SnapshotOptions["filesystem"];
  readonly process: SnapshotOptions["process"];
  readonly memory: string | undefined;
  readonly cpus: string | undefined;
  readonly storage: string | undefined;
  readonly pids: string | undefined;
  readonly bandwidth: string | undefined;
  readonly gpus: string | undefined;
  readonly timeout: string | undefined;
  readonly ttl?: string | undefined;
  readonly env: readonly string[];
  readonly secret: readonly string[];
  readonly image: string | undefined;
  readonly trustConfig: boolean;
}

/** The options as the library takes them. */
export const optionsFrom = ({ allowHost, secret, ...input }: Input): SnapshotOptions => ({
  ...input,
  allowHosts: allowHost,
  secrets: secret,
});
