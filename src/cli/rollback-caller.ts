import type { RollbackCaller } from "../rollback/execution.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";

/** A caller that shows on a terminal which step runs, and what its command prints. */
export function rollbackCallerOf(context: CommandContext): RollbackCaller {
  const { output } = context;
  let rest = "";
  return {
    ...callerOf(context),
    onStep: {
      begins: ({ type, does }) => {
        rest = "";
        output.progress(`${type}: ${does}`);
      },
      ends: () => {},
    },
    onOutput: (text) => {
      const lines = `${rest}${text}`.split(/\r?\n|\r/);
      rest = lines.pop() ?? "";
      for (const line of lines) output.live(`  | ${line}`);
    },
  };
}
