import type { RollbackCaller } from "../rollback/decided.js";
import { callerOf, tellConfigBroken } from "./caller.js";
import type { CommandContext } from "./context.js";
import { interruptible } from "./interruption.js";

/** Characters of a line that are waited for before it is shown in pieces. */
const LONGEST_LINE = 4096;

/**
 * Does something with a caller that Ctrl-C and its kin interrupt: before the commit point all is taken back, the agent started
 * again, behind it nothing is left half done. The process ends by the signal in either case.
 */
export const interruptibly = <T>(context: CommandContext, work: (caller: RollbackCaller) => Promise<T>): Promise<T> =>
  interruptible((signal) => {
    signal.addEventListener("abort", () => {
      context.output.note("Interrupted: it is taken back, or brought to its end where it has happened.");
    });
    return work({ ...rollbackCallerOf(context), interrupted: signal });
  });

/**
 * A caller that shows on a terminal which step runs, and what its command prints. A broken kai.yaml is what a rollback leads
 * away from.
 */
export function rollbackCallerOf(context: CommandContext): RollbackCaller {
  const { output } = context;
  let rest = "";
  return {
    ...callerOf(context, tellConfigBroken),
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
