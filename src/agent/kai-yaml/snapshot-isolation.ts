import {
  bool,
  boolOr,
  choice,
  duration,
  either,
  field,
  integer,
  list,
  name,
  object,
  orNull,
  rate,
  record,
  size,
  text,
} from "../schema.js";

// capabilities(7), Linux 6.8, without the prefix CAP_, as Podman takes them.
const CAPABILITIES = (
  "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH " +
  "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE " +
  "NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE " +
  "SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM"
).split(" ");
const NAMESPACES = ["pid", "mount", "network", "ipc", "uts", "user", "cgroup"] as const;
const LARGEST_ID = 2 ** 31 - 2;

const capabilities = (...names: string[]) =>
  field("Linux capabilities that are given; all others are dropped.", list(choice(CAPABILITIES, undefined), names));

const level = (summary: string, namespaces: (typeof NAMESPACES)[number][], given: string[], readOnly: boolean | null) =>
  field(
    summary,
    object({
      namespaces: field("Namespaces of its own.", list(choice(NAMESPACES, undefined), namespaces)),
      capabilities: capabilities(...given),
      read_only_root: field("Whether the root file system is read-only; null: as `security.read_only_root` says.", {
        ...orNull(bool(true)),
        fallback: readOnly,
      }),
    }),
  );

const image = text(undefined, { expected: "an image name, or host", pattern: /^[A-Za-z0-9][\w./:@-]{0,400}$/ });

const CPUS = text("2", {
  expected: "a number of processors such as 2 or 0.5, from 0.01 to 1024",
  pattern: /^\d{1,4}(?:\.\d{1,4})?$/,
  test: (written) => Number(written) >= 0.01 && Number(written) <= 1024,
});

const SUBNET = text(undefined, {
  expected: "a subnet such as 10.89.0.0/24",
  test: (written) => {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(written);
    const [, ...numbers] = (match ?? []).map(Number);
    return match !== null && numbers.slice(0, 4).every((part) => part <= 255) && (numbers[4] ?? 99) <= 30;
  },
});

const HOST = text(undefined, {
  expected: "a host name such as api.example.com or *.example.com, with a port if need be",
  pattern: /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?$/,
});

const SECRET = text(undefined, {
  expected: "env:NAME, file:PATH or command:COMMAND",
  pattern: /^(?:env:[A-Za-z_]\w*|file:[\s\S]+|command:[\s\S]+)$/,
});

const TEST = object({
  name: field("The scenario's name; no two are alike.", name()),
  kind: field("What it is about.", choice(["functionality", "performance", "integration"], "functionality")),
  run: field("The shell command that runs it.", text(undefined)),
  expect: field(
    "What it must give.",
    object({
      exit_code: field("Its exit status.", integer(0, 255, 0)),
      stdout: field("A text that its standard output must hold.", orNull(text(undefined))),
      max_duration: field("The longest that it may take.", orNull(duration(undefined))),
      max_memory: field("The most memory that it may use.", orNull(size(undefined))),
      worse_than_before: field(
        "How much more time and memory it may take than with the version before that was tested on this machine last.",
        orNull(text(undefined, { expected: "a percentage such as 20%", pattern: /^\d{1,5}(?:\.\d{1,3})?%$/ })),
      ),
    }),
  ),
  timeout: field("When it is ended; null: `resource_limits.timeout`.", orNull(duration(undefined))),
});

export const SNAPSHOT_ISOLATION = object({
  enable: field("Whether snapshots may be made.", bool(true)),
  container_runtime: field("The container engine.", choice(["podman", "docker", "containerd"], "podman")),
  default_isolation: field("How processes are isolated.", choice(["none", "container", "vm"], "container")),
  base_images: field(
    "Base images by runtime (python, node, custom, …), or `host`: this machine's own programs, read-only, which needs no registry. On an image, what the version's lock files or its Containerfile ask for is built.",
    either(
      choice(["host"], "host"),
      record(image, { keyForm: "a runtime's name", keyPattern: /^[A-Za-z][\w-]{0,63}$/ }),
    ),
  ),
  require_snapshot_test: field(
    "Whether nothing is made a version, promoted to staging or production, or deployed that has not passed its tests in a snapshot; pre-releases may be made.",
    bool(false),
  ),
  temp_dir: field(
    "The folder that holds snapshots and rehearsals, a relative one seen from the agent's folder, without colon or comma; where it is another user's, one beside it with the caller's number behind its name.",
    text("/tmp/kai_snapshots", { expected: "a folder, written without ~", pattern: /^(?!~)/ }),
  ),
  commit_changes: field("Whether a snapshot's changes are committed without being asked for.", bool(false)),
  rollback_on_error: field("Whether changes of a run that failed are dropped.", bool(true)),
  max_concurrent: field("How many snapshots there may be at once.", integer(1, 10_000, 10)),
  cleanup_after: field("The age at which an unused snapshot may be removed.", duration("24h")),
  network: field(
    "What a snapshot can reach.",
    object({
      mode: field(
        "`none`: nothing. `isolated`: allowed_hosts only, through the proxy. `bridge`: Podman's network, outside only with allow_internet.",
        choice(["none", "bridge", "isolated"], "none"),
      ),
      allow_internet: field("Whether the outside can be reached; with mode bridge only.", bool(false)),
      allowed_hosts: field("The hosts that can be reached; with mode isolated only.", list(HOST)),
      subnet: field("The subnet of the bridge.", orNull(SUBNET)),
    }),
  ),
  filesystem: field("How files are isolated.", choice(["none", "overlay", "tmpfs"], "overlay")),
  resource_limits: field(
    "The most that a snapshot may use.",
    object({
      cpu: field("Processors.", CPUS),
      memory: field("Memory.", size("4Gi", "4Mi")),
      storage: field("Disk.", size("10Gi", "4Mi")),
      network_bandwidth: field("Network, in bits per second.", rate("100Mbps")),
      pids: field("Processes and threads.", integer(2, 4_194_304, 512)),
      timeout: field("The time that a run may take.", duration("5m")),
      gpu: field(
        "GPUs: how many, or `all`.",
        orNull(text(undefined, { expected: "a number of GPUs or all", pattern: /^(?:all|\d{1,2})$/ })),
      ),
    }),
  ),
  security: field(
    "What a snapshot's processes may do.",
    object({
      selinux: field("true: where the host has it; required: E103 where not.", boolOr(["required"], true)),
      apparmor: field("true: where the host has it; required: E103 where not.", boolOr(["required"], true)),
      seccomp: field("Filter system calls.", bool(true)),
      read_only_root: field("The root file system is read-only.", bool(true)),
      no_new_privileges: field("No process gains privileges.", bool(true)),
      run_as_user: field("The numeric user.", integer(0, LARGEST_ID, 1000)),
      run_as_group: field("The numeric group.", integer(0, LARGEST_ID, 1000)),
      capabilities: capabilities(),
    }),
  ),
  isolation_levels: field(
    "What `--level` chooses.",
    object({
      development: level("While it is written.", ["pid", "mount", "network"], ["NET_BIND_SERVICE"], null),
      testing: level("While it is tested.", ["pid", "mount", "network", "ipc", "uts"], [], null),
      production: level("As it is run.", [...NAMESPACES], [], true),
    }),
  ),
  tests: field("Scenarios that are run in a snapshot of any version.", list(TEST)),
  secrets: field(
    "What a snapshot is given in its environment and nobody records: env:, file: or command: and where it comes from.",
    record(SECRET, { keyForm: "a variable's name", keyPattern: /^[A-Za-z_]\w{0,127}$/ }),
  ),
});
