import { type Stats, statSync } from "node:fs";
import { KaiError } from "../error.js";
import { type ProcessRequest, type ProcessResult, runProcess } from "../system/process.js";

/** How Debian and its kin get what a sandbox needs. */
export const INSTALL_PODMAN = "sudo apt-get install -y podman runc conmon catatonit slirp4netns uidmap";

/** What podman itself needs; the rest of the caller's environment, keys first of all, stays here. */
const PASSED_VARIABLES = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "TMPDIR",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "DBUS_SESSION_BUS_ADDRESS",
  "CONTAINERS_CONF",
  "CONTAINERS_STORAGE_CONF",
  "STORAGE_DRIVER",
  "STORAGE_OPTS",
] as const;

/** Where iptables and the like are, which cron and services have no PATH to. */
const OF_ADMINISTRATORS = "/usr/sbin:/sbin";
/** Of whom nobody gave one. */
const USUAL_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Whether podman itself reads a variable of this name, so that no other value of it can be handed on. */
export const isPodmanVariable = (name: string): boolean =>
  PASSED_VARIABLES.some((each) => each === name) || READ.test(name);

export interface PodmanOptions {
  env: NodeJS.ProcessEnv;
  cwd?: string | undefined;
  /** More variables, which `--env NAME` hands on to a container. */
  variables?: Readonly<Record<string, string>> | undefined;
  /** As of a process. */
  input?: ProcessRequest["input"];
  stdin?: ProcessRequest["stdin"];
  onChunk?: ProcessRequest["onChunk"];
  hurried?: ProcessRequest["hurried"];
  /** Milliseconds after which podman itself is given up; it also keeps the terminal's signals from it. */
  timeoutMs?: number | undefined;
  /** Bytes kept of each stream. */
  maxOutput?: number | undefined;
}

const PATIENCE_MS = 60_000;

/** Runs podman, always on this machine, and gives whatever came of it. Throws E117 where it is not installed. */
export async function runPodman(args: readonly string[], options: PodmanOptions): Promise<ProcessResult> {
  try {
    return await runProcess({
      file: "podman",
      args: ["--remote=false", ...args],
      cwd: options.cwd ?? "/",
      env: podmanEnvironment(options.env, options.variables),
      input: options.input,
      stdin: options.stdin,
      onChunk: options.onChunk,
      hurried: options.hurried,
      timeoutMs: options.timeoutMs ?? PATIENCE_MS,
      maxOutput: options.maxOutput,
    });
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E117") throw podmanMissing(cause);
    throw cause;
  }
}

export function podmanMissing(cause?: unknown): KaiError {
  return new KaiError("E117", "Podman is not installed, and a snapshot is a Podman container.", {
    hint: `Run \`${INSTALL_PODMAN}\`, then \`git kai-version doctor\`.`,
    cause,
  });
}

/**
 * The environment that podman, and what a sandbox takes of the system's programs, runs in: what it needs to find its storage, and
 * `variables` for `--env NAME`. E103 for one that podman, or what it starts, would take for its own.
 */
export function podmanEnvironment(
  env: NodeJS.ProcessEnv,
  variables: Readonly<Record<string, string>> = {},
): NodeJS.ProcessEnv {
  const taken = Object.keys(variables).find(isPodmanVariable);
  if (taken !== undefined) {
    throw new KaiError("E103", `A secret cannot be called ${taken}, as podman reads a variable of that name.`, {
      hint: "Give it another name under snapshot_isolation.secrets.",
    });
  }
  const own: NodeJS.ProcessEnv = { ...variables, LC_ALL: "C" };
  for (const name of PASSED_VARIABLES) if (env[name] !== undefined) own[name] = env[name];
  own["PATH"] = `${env["PATH"] || USUAL_PATH}:${OF_ADMINISTRATORS}`;
  // Podman has another place of its own where it is told none; `su` and `sudo` leave it that of whoever called them.
  if (!isOwnFolder(own["XDG_RUNTIME_DIR"])) delete own["XDG_RUNTIME_DIR"];
  return own;
}

function isOwnFolder(folder: string | undefined): boolean {
  const stat = folder === undefined ? undefined : lookAt(folder);
  return stat?.isDirectory() === true && stat.uid === process.geteuid?.();
}

function lookAt(folder: string): Stats | undefined {
  try {
    return statSync(folder);
  } catch {
    return undefined;
  }
}

/** Of podman, its libraries, the Go runtime, systemd and the dynamic loader. */
const READ =
  /^(?:LC_.*|LANG|LD_.*|_?CONTAINERS_.*|CONTAINER_(?:HOST|SSHKEY|CONNECTION)|PODMAN_.*|STORAGE_.*|XDG_.*|LISTEN_.*|NOTIFY_SOCKET|REGISTRY_AUTH_FILE|GO(?:DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK))$/;
