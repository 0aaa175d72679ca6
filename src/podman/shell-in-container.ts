import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { endGroup, type ShellOptions, type StartShell, spawnDetached } from "../system/start-shell.js";
import { listContainerProcesses } from "./container-processes.js";
import { EXEC_MARK } from "./end-exec.js";
import { planExec } from "./plan-exec.js";
import { isPodmanVariable, podmanEnvironment } from "./podman.js";
import type { RunningContainer } from "./start-container.js";

export interface ShellsRequest {
  /** The path that a folder or file of this host has in the container. */
  readonly pathInside: (path: string) => string;
  /** The caller's environment: for podman. */
  readonly env: NodeJS.ProcessEnv;
}

/** Looks for a process that podman is about to start. */
const LOOK_EVERY_MS = 20;
/** Podman needs a moment to tell that its process ended. */
const PATIENCE_MS = 2000;

/**
 * Starts shells in a container that idles. They are processes of this host as well: each leads a session, is signalled and looked
 * at as one that was started here, and what it leaves in the background lives on.
 */
export function shellsIn(container: RunningContainer, { pathInside, env }: ShellsRequest): StartShell {
  return (args, options) => {
    const id = randomUUID();
    const { values, variables } = handedOver(options.env);
    const workdir = pathInside(options.cwd);
    const command = ["/bin/sh", "-c", ...redirected(args, options, pathInside)] as const;
    const request = { id, command, workdir, env: values, secrets: variables } as const;
    const child = spawnDetached("podman", ["--remote=false", ...planExec(container, request, [])], {
      cwd: "/",
      env: podmanEnvironment(env, variables),
      stdio: options.stdio,
    });
    const ended = new AbortController();
    for (const event of ["error", "exit"]) child.once(event, () => ended.abort());
    const leader = () => findLeader(container, id, ended.signal);
    const end = async (graceMs: number) => {
      await endGroup(await leader(), graceMs);
      await pause(PATIENCE_MS, undefined, { signal: ended.signal }).catch(() => {});
      if (!ended.signal.aborted) await endGroup(child.pid, 0);
    };
    return { child, leader, end };
  };
}

/** Who holds the output open behind the shell could write to podman no more: it writes to the file itself. */
function redirected(
  args: readonly string[],
  { log }: ShellOptions,
  pathInside: ShellsRequest["pathInside"],
): readonly string[] {
  if (log === undefined) return args;
  return ['log=$1; shift; exec /bin/sh -c "$@" >>"$log" 2>&1', "sh", pathInside(log), ...args];
}

/** Podman's own variables can only be given by value, which a list of processes shows; all others are given by name. */
function handedOver(env: NodeJS.ProcessEnv) {
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value !== undefined && /^[A-Za-z_]\w*$/.test(name) ? [[name, value]] : [],
  );
  return {
    values: Object.fromEntries(given.filter(([name]) => isPodmanVariable(name))),
    variables: Object.fromEntries(given.filter(([name]) => !isPodmanVariable(name))),
  };
}

/** Podman tells nobody its number: it has the execution's mark, and leads its session. */
async function findLeader(
  { process: identity }: RunningContainer,
  id: string,
  ended: AbortSignal,
): Promise<number | undefined> {
  const first = Number(identity.split(":")[1]);
  while (!ended.aborted) {
    const running = await listContainerProcesses(first, EXEC_MARK);
    const leader = running.find((each) => each.mark === id && each.session === each.id);
    if (leader) return leader.id;
    await pause(LOOK_EVERY_MS, undefined, { signal: ended }).catch(() => {});
  }
  return undefined;
}
