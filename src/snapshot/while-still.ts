import { rm } from "node:fs/promises";
import { KaiError } from "../error.js";
import { holdContainer, releaseContainer } from "../podman/hold-container.js";
import { runsNothing } from "../podman/runs-nothing.js";
import { containerOf, type SnapshotRecord } from "./snapshot-record.js";
import type { KnownSnapshot, SnapshotStore } from "./snapshot-store.js";

/**
 * Does something with a snapshot's files while nothing can write them: where something runs in its container that is held
 * meanwhile, and goes on afterwards. E113 while a command runs in it, or somebody else holds it still; E103 where it cannot be held, or is half destroyed.
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
    const container = containerOf(record);
    if (!store.isLeased(record.id) && runsNothing(container)) return await work();
    if (!(await holdContainer(container, env))) throw cannotHold(record);
    try {
      return await work();
    } finally {
      await releaseContainer(container, env);
    }
  } finally {
    await release();
  }
}

/** Lets a snapshot go on that was held still by somebody who was killed, and gives whether it was. E113 where somebody holds it who lives. */
export async function endDeadHolds(
  store: SnapshotStore,
  record: SnapshotRecord,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const { living, dead } = store.holdersOf(record.id);
  if (living) {
    throw new KaiError(
      "E113",
      `The files of the snapshot ${record.id} are being read, and it is held still meanwhile.`,
      {
        hint: "It takes a moment. Run the command again.",
      },
    );
  }
  if (dead.length === 0) return false;
  await releaseContainer(containerOf(record), env);
  await Promise.all(dead.map((mark) => rm(mark, { force: true })));
  return true;
}

const cannotHold = ({ id, container }: SnapshotRecord): KaiError =>
  new KaiError("E103", `What runs in the snapshot ${id} cannot be held still, and its files are read only then.`, {
    hint: `\`podman stop ${container}\` ends all that runs in it; its files stay, and can be read, saved and committed.`,
  });

function requireIdle({ record, status, reason }: KnownSnapshot): void {
  if (record.destroyer !== undefined) {
    throw new KaiError("E103", `The snapshot ${record.id} cannot be read: ${reason}.`, {
      hint: "`git kai-version recover` takes away what is left of it.",
    });
  }
  if (status !== "running" && status !== "creating") return;
  throw new KaiError("E113", `A command runs in the snapshot ${record.id}, or it is being made.`, {
    hint: `Wait for it to end, or end it with \`git kai-version snapshot destroy ${record.id}\`.`,
  });
}
