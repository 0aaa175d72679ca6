import { KaiError } from "../error.js";
import { pauseContainer, unpauseContainer } from "../podman/pause-container.js";
import { stopContainer } from "../podman/stop-container.js";
import type { KnownSnapshot } from "./snapshot-store.js";

/** Milliseconds that a snapshot's processes have to end by themselves. */
const GRACE_MS = 2000;

/**
 * Does something with a snapshot's files while nothing can write them: its container is paused meanwhile, or where the host
 * cannot do that, stopped. E113 while a command runs in it.
 */
export async function whileStill<T>(
  { record, status }: KnownSnapshot,
  env: NodeJS.ProcessEnv,
  work: () => Promise<T>,
): Promise<T> {
  if (status === "running" || status === "creating") {
    throw new KaiError("E113", `A command runs in the snapshot ${record.id}, or it is being made.`, {
      hint: "Wait for it to end, or end it with `git kai-version snapshot destroy`.",
    });
  }
  if (status !== "ready") return work();
  if (await pauseContainer(record.container, env)) {
    try {
      return await work();
    } finally {
      await unpauseContainer(record.container, env);
    }
  }
  await stopContainer(record.container, GRACE_MS, env);
  return work();
}
