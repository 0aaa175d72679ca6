import { setTimeout as sleep } from "node:timers/promises";

/** Some 25 days: Node fires a timer beyond this at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Calls after so many milliseconds, however many those are; what is given back takes that back. */
export function after(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = setTimeout(() => (left > LONGEST_MS ? wait(left - LONGEST_MS) : call()), Math.min(left, LONGEST_MS));
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** True behind the milliseconds, however many; false as soon as `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  for (let left = ms; ; left -= LONGEST_MS) {
    const slept = await sleep(Math.min(left, LONGEST_MS), true, { signal }).catch(() => false);
    if (!slept || left <= LONGEST_MS) return slept;
  }
}
