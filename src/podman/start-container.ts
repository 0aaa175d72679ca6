import { readFile, readlink } from "node:fs/promises";
import { KaiError } from "../error.js";
import { identityOf } from "../system/process-identity.js";
import { bridgeRemedy, isTun } from "./bridge-remedy.js";
import type { HostCapabilities } from "./capabilities.js";
import { mountOverlays } from "./mount-overlay.js";
import { type ContainerPlan, type IdleCommand, planContainer } from "./plan-container.js";
import { runPodman } from "./podman.js";
import { removeContainer } from "./remove-container.js";

/** A container that waits for executions. */
export interface RunningContainer {
  name: string;
  /** Identity of its first process on this host; of its monitor where it has a kernel of its own. */
  process: string;
  /** Set where it has: then only all of it can be ended. */
  ownKernel?: true;
}

export interface StartOptions {
  env: NodeJS.ProcessEnv;
  /** A folder of this container's own: its monitor tells there that memory ran out. */
  folder: string;
  signal?: AbortSignal | undefined;
}

/**
 * Makes and starts a container that idles until it is stopped, in one call of podman. Throws E103 with podman's words where
 * it could not be started; then, and after an abort, nothing of it is left.
 */
export async function startContainer(
  plan: ContainerPlan & { command: IdleCommand },
  host: HostCapabilities,
  { env, folder, signal }: StartOptions,
): Promise<RunningContainer> {
  signal?.throwIfAborted();
  try {
    const options = { env, cwd: folder };
    const { exitCode, stderr } = await runPodman(planContainer(await mountOverlays(plan, host, env), host), options);
    signal?.throwIfAborted();
    const pid = exitCode === 0 ? Number(await readFile(plan.command.pidFile, "utf8")) : undefined;
    const identity = pid === undefined ? undefined : identityOf(pid);
    if (identity === undefined) throw notStarted(stderr.toString());
    if (host.ownKernel && !(await hasOwnNetwork(pid))) throw notStarted("it would have this machine's network");
    return { name: plan.name, process: identity, ...(host.ownKernel ? { ownKernel: true } : {}) };
  } catch (cause) {
    await removeContainer(plan.name, env);
    throw cause;
  }
}

/** Runtimes with a kernel of their own have ideas of their own about networks. */
async function hasOwnNetwork(pid: number | undefined): Promise<boolean> {
  const [theirs, ours] = await Promise.all(["self", pid].map((id) => readlink(`/proc/${id}/ns/net`)));
  return theirs !== ours;
}

/** E103 for a container that podman could not start, in podman's words. */
export function notStarted(stderr: string): KaiError {
  // Podman writes what other programs said to it as one line, with all line ends escaped.
  const words = stderr.trim().split("\n").at(-1)?.split("\\n")[0] ?? "";
  return new KaiError("E103", `The sandbox could not be started: ${words.replace(/^Error: /, "")}`, {
    hint: isTun(words)
      ? bridgeRemedy(words)
      : "`git kai-version doctor` shows what this machine lacks and the command that mends it.",
  });
}
