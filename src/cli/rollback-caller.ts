import type { RollbackCaller } from "../rollback/execution.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";

/** Characters of a line that are waited for before it is shown in pieces. */
const LONGEST_LINE = 4096;

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
      if (rest.length > LONGEST_LINE) lines.push(rest);
      for (const line of lines) output.live(`  | ${line}`);
      if (rest.length > LONGEST_LINE) rest = "";
    },
  };
}
