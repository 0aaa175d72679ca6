import type { Repository } from "../git/repository.js";
import type { Caller } from "../version/writing-session.js";
import type { Keeper } from "./keep-run.js";
import { hideSecrets } from "./runs/hide-secrets.js";

/**
 * What keeps a run, loaded when it is asked for: while a command is at work, or behind it. Where it cannot be loaded (the program
 * was replaced meanwhile) that is said, and no run is kept: it took place, and its result is what counts.
 */
export async function loadKeeper(repository: Repository, caller: Caller): Promise<Keeper> {
  try {
    return (await import("./keep-run.js")).openKeeper(repository, caller);
  } catch (cause) {
    caller.onLeft?.(`The run could not be kept: ${(cause as Error).message.split("\n", 1)[0]}`);
    return async ({ execution, secrets }) => ({ run: null, ...hideSecrets(execution, secrets) });
  }
}
