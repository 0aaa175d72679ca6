import { rm } from "node:fs/promises";
import { KaiError } from "../error.js";
import { pauseContainer, unpauseContainer } from "../podman/pause-container.js";
import { runsNothing } from "../podman/runs-nothing.js";
import { stopContainer } from "../podman/stop-container.js";
import { containerOf, type SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/** Milliseconds that a snapshot's processes have to end by themselves. */
const GRACE_MS = 2000;

/**
 * Does something with a snapshot's files while nothing can write them: where something runs in its container that is paused
 * meanwhile, or where the host cannot do that, stopped. E113 while a command runs in it, or somebody else holds it still.
 */
export async function whileStill<T>(
  store: SnapshotStore,
  known: KnownSnapshot,
  env: NodeJS.ProcessEnv,
  work: () => Promise<T>,
): Promise<T> {
  const { record } = known;
  requireIdle(known);
  if (known.status !== "ready") return work();
  const release = await store.hold(record.id);
  try {
    // Both marks are set before the other's is looked for: so a command that begins now and this never go on together.
    await endDeadHolds(store, record, env);
    requireIdle(await store.find(record.id));
    // No command can begin any more, so that what waits for one is all that there is.
    if (!store.isLeased(record.id) && (await runsNothing(containerOf(record)))) return await work();
    if (!(await pauseContainer(record.container, env))) {
      await stopContainer(record.container, GRACE_MS, env);
      return await work();
    }
    try {
      return await work();
    } finally {
      await unpauseContainer(record.container, env);
    }
  } finally {
    await release();
  }
}

/** Lets a snapshot go on that was held still by somebody who was killed. E113 where somebody holds it who lives. */
export async function endDeadHolds(
  store: SnapshotStore,
  { id, container }: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const { living, dead } = await store.holdersOf(id);
  if (living) {
    throw new KaiError("E113", `The files of the snapshot ${id} are being read, and it is held still meanwhile.`, {
      hint: "It takes a moment. Run the command again.",
    });
  }
  if (dead.length === 0) return;
  await unpauseContainer(container, env);
  await Promise.all(dead.map((mark) => rm(mark, { force: true })));
}

function requireIdle({ record, status }: KnownSnapshot): void {
  if (status !== "running" && status !== "creating") return;
  throw new KaiError("E113", `A command runs in the snapshot ${record.id}, or it is being made.`, {
    hint: "Wait for it to end, or end it with `git kai-version snapshot destroy`.",
  });
}
