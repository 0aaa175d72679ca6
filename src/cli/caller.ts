import type { Recovered } from "../operation/recover.js";
import type { Caller } from "../version/writing-session.js";
import type { CommandContext } from "./context.js";

/** What the library gets of the command line. */
export function callerOf(context: CommandContext): Caller {
  return {
    cwd: context.cwd,
    env: context.env,
    now: context.now,
    progress: context.output.progress,
    onRecovered: (recovered) => tellRecovered(recovered, context),
    askPassphrase: context.interactive ? (key) => context.askSecret(`Passphrase of the key ${key}: `) : undefined,
  };
}

function tellRecovered(recovered: readonly Recovered[], { output }: CommandContext): void {
  for (const each of recovered) {
    output.note(
      each.outcome === "completed"
        ? `Finished an interrupted ${each.kind} (${each.operation}).`
        : `Took back an interrupted ${each.kind} (${each.operation}): it had not happened.`,
    );
  }
}
