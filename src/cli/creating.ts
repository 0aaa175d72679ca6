import type { CreatedVersion } from "../version/create.js";
import type { Caller, Uninterrupted } from "../version/writing-session.js";
import { callerOf } from "./caller.js";
import type { CommandContext } from "./context.js";
import { interruptibleInParts } from "./interruption.js";
import { oneLine } from "./style.js";

/** For work that makes a version: while the agent stands still it is started again first; in any other moment it ends at once. */
export const whileCreating = <T>(context: CommandContext, work: (caller: Caller) => Promise<T>): Promise<T> =>
  interruptibleInParts((part) => {
    const uninterrupted: Uninterrupted = (standing) =>
      part(async (signal) => {
        const tell = () => context.output.note("Interrupted: the agent is started again, and no version is made.");
        signal.addEventListener("abort", tell);
        return standing(signal).catch((cause: unknown) => {
          // By the signal the process ends without a word of what else went wrong.
          if (signal.aborted && cause !== signal.reason) context.output.warn((cause as Error).message);
          throw cause;
        });
      });
    return work({ ...callerOf(context), uninterrupted });
  });

/** What is to be said of the state that was captured with a version, or was not. */
export const warningsOf = (state: CreatedVersion["state"]): string[] => [
  ...(state.tracked.length > 0 ? [isTracked(state.tracked)] : []),
  ...state.skipped.map((path) => `${oneLine(path)} is no regular file and was not captured.`),
  ...warningsOfMoment(state),
];

/** What is to be said where files may be of different moments, or the agent could not be stopped as it was to be. */
function warningsOfMoment({ consistent, files, stopped, notStopped }: CreatedVersion["state"]): string[] {
  const notAsked = stopped && !stopped.ok ? [`The agent could not be stopped as it was to be: ${stopped.error}`] : [];
  if (consistent !== false) return notAsked;
  const why = notStopped === null ? [] : [`The agent was not stopped: ${notStopped}`];
  const others = stopped?.ok ? ["The agent stood still: something else writes them."] : [];
  return [[writtenMeanwhile(files), ...why, ...others].join(" "), ...notAsked];
}

function writtenMeanwhile(files: readonly string[]): string {
  const shown = files.slice(0, 5).map(oneLine);
  if (files.length > shown.length) shown.push(`${files.length - shown.length} more`);
  const last = shown.pop() ?? "";
  return shown.length === 0
    ? `${last} was written while it was captured.`
    : `${shown.join(", ")} and ${last} were captured one after the other, and some were written meanwhile: they may be of different moments.`;
}

const isTracked = (files: readonly string[]): string =>
  `${files.slice(0, 5).map(oneLine).join(", ")}: state by kai.yaml, but git tracks it, so it was not captured and no rollback puts it back. \`git rm --cached ${oneLine(files[0] ?? "")}\` and a line in .gitignore make it state.`;
