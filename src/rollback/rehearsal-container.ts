import { symlink, writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import path from "node:path";
import { KaiError } from "../error.js";
import type { HostCapabilities } from "../podman/capabilities.js";
import { cgroupParentFor } from "../podman/cgroup-usage.js";
import { requireIdleProgram } from "../podman/idle-program.js";
import { OWNER_LABEL } from "../podman/leftovers.js";
import { createNetwork, removeNetwork } from "../podman/network.js";
import type { BindMount, ContainerNetwork, ContainerPlan, IdleCommand } from "../podman/plan-container.js";
import { removeContainer } from "../podman/remove-container.js";
import { seccompProfile } from "../podman/seccomp-profile.js";
import { shellsIn } from "../podman/shell-in-container.js";
import { skeletonRoot } from "../podman/skeleton-root.js";
import { type RunningContainer, startContainer } from "../podman/start-container.js";
import { containerNameOf } from "../snapshot/sandbox/sandbox-names.js";
import { makeFolder } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import { ownIdentity } from "../system/process-identity.js";
import type { StartShell } from "../system/start-shell.js";
import type { Shells } from "./decided.js";
import { isBelow, listProgramFolders } from "./program-folders.js";

export interface ContainerRequest {
  /** Letters and digits: part of the containers' names. */
  readonly id: string;
  /** A folder of the rehearsal's own. */
  readonly folder: string;
  /** The copy of the agent, shown where the agent itself is: absolute paths that lead to that meet the copy. */
  readonly copy: string;
  readonly workTree: string;
  /** The copy of what is deployed, and where that lies; null where nothing is. */
  readonly deployment: { readonly copy: string; readonly root: string } | null;
  /** The folders of objects that the copy borrows, absolute. */
  readonly objects: readonly string[];
  readonly host: HostCapabilities;
  readonly seconds: number;
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  readonly signal: AbortSignal | undefined;
}

export interface RehearsalContainer {
  readonly shells: Shells;
  /** Whether what installs dependencies has a network; the others have none. Null: nothing was installed. */
  readonly network: () => { readonly toInstall: boolean; readonly why: string | null } | null;
  /** Ends all that runs in it, and removes it. */
  close(): Promise<void>;
}

/** As many as a busy machine has, and few enough for it to stay well where a command forks without end. */
const MOST_PROCESSES = 4096;
/** What root of a container may, where root runs the rollback; nothing of it leads out. */
const OF_ROOT = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];
const OBJECTS = "/run/kai/objects";
const ALTERNATES = ".git/objects/info/alternates";

/**
 * Starts a container in which the commands of a rehearsal run: with this machine's programs and the caller's user, in the agent's
 * folder, which is the copy there. Its network is its own, with nobody else in it. E103, E117 where there can be none.
 */
export async function openRehearsalContainer(request: ContainerRequest): Promise<RehearsalContainer> {
  const { env, signal, id } = request;
  requireMountable(request);
  const plan = await planFor(request);
  const name = containerNameOf(id);
  const toInstall = `${name}-install`;
  const usual = await start(plan, name, { kind: "none" }, request);
  let network: ReturnType<RehearsalContainer["network"]> = null;
  const startInstalling = async (): Promise<RunningContainer> => {
    try {
      await createNetwork({ name: toInstall, labels: {}, internet: true, subnet: null }, env);
      const started = await start(plan, toInstall, { kind: "bridge", name: toInstall }, request);
      network = { toInstall: true, why: null };
      return started;
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof KaiError)) throw cause;
      network = { toInstall: false, why: cause.message };
      return usual;
    }
  };
  let installing: Promise<RunningContainer> | undefined;
  const shells = (container: RunningContainer): StartShell => {
    const start = shellsIn(container, { pathInside: insideOf(request), env });
    return (args, options) => start(args, { ...options, env: { ...options.env, ...toldInside(request, options.env) } });
  };
  return {
    shells: {
      usual: shells(usual),
      async toInstall() {
        installing ??= startInstalling();
        return shells(await installing);
      },
    },
    network: () => network,
    async close() {
      const started = await installing?.catch(() => undefined);
      await removeContainer(name, env, usual.process);
      if (installing === undefined) return;
      await removeContainer(toInstall, env, started?.process);
      await removeNetwork(toInstall, env);
    },
  };
}

const insideOf =
  ({ copy, workTree, deployment }: ContainerRequest) =>
  (outside: string): string =>
    deployment && isBelow(outside, deployment.copy)
      ? path.join(deployment.root, path.relative(deployment.copy, outside))
      : path.join(workTree, path.relative(copy, outside));

/** Its commands are told where the agent is deployed. */
const toldInside = ({ deployment }: ContainerRequest, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  deployment && env["KAI_DEPLOYMENT"] !== undefined ? { KAI_DEPLOYMENT: deployment.root } : {};

type UsualPlan = Omit<ContainerPlan, "name" | "network" | "cgroupParent" | "command">;

/** What all of its containers have in common. */
async function planFor(request: ContainerRequest): Promise<UsualPlan> {
  const { folder, copy, workTree, deployment, env, host, cacheDir, seconds } = request;
  const user = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const root = await skeletonRoot(path.resolve(cacheDir), user);
  // Podman separates its arguments by colons, which a link's own name has not.
  await symlink(root.path, path.join(folder, "root"));
  const objects = await borrowedObjects(request);
  const seccomp = path.join(folder, "seccomp.json");
  await writeFile(seccomp, JSON.stringify(seccompProfile()));
  const written = [env["HOME"], env["TMPDIR"], path.dirname(workTree)].flatMap((each) => each ?? []);
  const programs = await listProgramFolders(env, workTree);
  const mounts: BindMount[] = [...objects, ...programs.map((each) => ({ host: each, inside: each }))];
  return {
    labels: { [OWNER_LABEL]: ownIdentity() },
    root: { ...root, path: path.join(folder, "root") },
    app: { folder: copy },
    place: workTree,
    mounts,
    written: deployment === null ? [] : [{ host: deployment.copy, inside: deployment.root }],
    scratch: ownFolders(written, workTree).filter((each) => each !== deployment?.root),
    user,
    security: {
      seccompProfile: seccomp,
      apparmor: true,
      selinux: false,
      readOnlyRoot: true,
      noNewPrivileges: true,
      capabilities: host.rootless ? [] : OF_ROOT,
    },
    limits: { cpus: availableParallelism(), memoryBytes: totalmem(), pids: MOST_PROCESSES, seconds },
    env: {},
  };
}

/** Shown at paths of their own: where the agent lies is the copy. All are named at once, what one borrows itself as well. */
async function borrowedObjects({ objects, folder, workTree }: ContainerRequest): Promise<BindMount[]> {
  const alternates = path.join(folder, "alternates");
  await writeFile(alternates, objects.map((_each, index) => `${OBJECTS}/${index}\n`).join(""));
  const nothing = path.join(folder, "nothing");
  await writeFile(nothing, "");
  const mounts: BindMount[] = [{ host: alternates, inside: path.join(workTree, ALTERNATES) }];
  for (const [index, each] of objects.entries()) {
    const inside = `${OBJECTS}/${index}`;
    // Podman separates its arguments by colons, which a link's own name has not.
    const link = path.join(folder, `objects-${index}`);
    await symlink(each, link);
    mounts.push({ host: link, inside });
    const own = "info/alternates";
    if (await findStat(path.join(each, own))) mounts.push({ host: nothing, inside: `${inside}/${own}` });
  }
  return mounts;
}

async function start(
  plan: UsualPlan,
  name: string,
  network: ContainerNetwork,
  { folder, host, env, signal }: ContainerRequest,
): Promise<RunningContainer> {
  const own = path.join(folder, name);
  await makeFolder(own);
  const command: IdleCommand = { init: requireIdleProgram(env), pidFile: path.join(own, "pid") };
  const whole = { ...plan, name, network, command, cgroupParent: cgroupParentFor(host, name) };
  return startContainer(whole, host, { env, folder: own, signal });
}

/** Without these programs do not run, or they are its own anyhow. */
const NEEDED = ["/", "/dev", "/etc", "/proc", "/sys", "/tmp", "/usr"];

/** Those that can be empty folders of its own, unless the agent lies around them. */
const ownFolders = (folders: readonly string[], workTree: string): string[] =>
  [...new Set(folders.map((each) => path.resolve("/", each)))].filter(
    (each) => !/[:,\n]/.test(each) && !NEEDED.includes(each) && !isBelow(each, workTree),
  );

function requireMountable({ workTree, deployment }: ContainerRequest): void {
  const refused = [workTree, deployment?.root].find((each) => each === "/" || /[:,\n]/.test(each ?? ""));
  if (refused === undefined) return;
  throw new KaiError("E103", `Podman cannot mount anything at ${refused}, which holds a colon, comma or newline.`, {
    hint: `Move ${refused === workTree ? "the agent" : "the deployment"} to another folder.`,
  });
}
