import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 10;

/**
 * The most bytes of memory that a process and those below it had, each at its own peak, as seen until `over`. The kernel
 * tells a parent only of its largest child, and Node not even that. Undefined where nothing was seen.
 */
export async function watchMemory(id: number, over: AbortSignal): Promise<number | undefined> {
  let most: number | undefined;
  while (!over.aborted) {
    const sum = await peakOfFamily(id);
    if (sum > (most ?? 0)) most = sum;
    await pause(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {});
  }
  return most;
}

async function peakOfFamily(id: number): Promise<number> {
  const [own, children] = await Promise.all([peakOf(id), listChildren(id)]);
  const below = await Promise.all(children.map(peakOfFamily));
  return below.reduce((total, each) => total + each, own);
}

async function peakOf(id: number): Promise<number> {
  const status = await readFile(`/proc/${id}/status`, "latin1").catch(() => "");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

async function listChildren(id: number): Promise<number[]> {
  const threads = await readdir(`/proc/${id}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${id}/task/${thread}/children`, "latin1").catch(() => "")),
  );
  return lists.flatMap((list) => list.split(" ").filter(Boolean)).map(Number);
}
