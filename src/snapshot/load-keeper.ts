import type { Caller } from "../version/writing-session.js";

type KeepRun = typeof import("./keep-run.js")["keepRun"];

/**
 * What keeps a run, loaded when it is asked for: while a command is at work, or behind it. Where it cannot be loaded (the program
 * was replaced meanwhile) that is said, and no run is kept: it took place, and its result is what counts.
 */
export async function loadKeeper(caller: Caller): Promise<KeepRun> {
  try {
    return (await import("./keep-run.js")).keepRun;
  } catch (cause) {
    caller.progress(`The run could not be kept: ${(cause as Error).message.split("\n", 1)[0]}`);
    return async () => null;
  }
}
