import type { Recovered } from "../operation/recover.js";
import type { OnConfigGone } from "../version/agent-repository.js";
import type { Caller } from "../version/writing-session.js";
import type { CommandContext } from "./context.js";

/** What the library gets of the command line; `tellConfig`: what becomes of it where the agent's own kai.yaml is not in effect. */
export function callerOf(context: CommandContext, tellConfig = tellConfigGone): Caller {
  return {
    cwd: context.cwd,
    env: context.env,
    now: context.now,
    progress: context.output.progress,
    onSwept: (message) => context.output.note(message),
    onLeft: (message) => context.output.warn(message),
    onRecovered: (recovered) => {
      tellRecovered(recovered, context);
      const restored = ({ kind, outcome }: Recovered) => outcome === "completed" && /^(?:rollback|undo)$/.test(kind);
      const unasked = recovered.findLast((each) => restored(each) && each.agent !== null);
      if (unasked) context.output.note(notAsked(unasked));
    },
    onConfigGone: tellConfig(context),
    askPassphrase: context.interactive ? (key) => context.askSecret(`Passphrase of the key ${key}: `) : undefined,
  };
}

const notAsked = ({ kind }: Recovered): string =>
  `It was not checked as the ${kind} would have: \`git kai-version recover\` does, while that is in force.`;

/** Says whose kai.yaml is in effect where the agent's own is gone; one that is broken is refused (E106). */
export const tellConfigGone =
  ({ output }: Pick<CommandContext, "output">): OnConfigGone =>
  ({ configFrom, bare, broken }) => {
    if (broken) throw broken;
    output.note(
      bare
        ? `HEAD has no kai.yaml: that of ${configFrom} is in effect.`
        : `There is no kai.yaml here: that of ${configFrom} is in effect. ${bringBack(configFrom)}`,
    );
  };

/** The same, and where it is broken: for commands that can do without the agent's own. */
export const tellConfigBroken =
  (context: Pick<CommandContext, "output">): OnConfigGone =>
  (gone) => {
    const { configFrom, bare, broken } = gone;
    if (!broken) return tellConfigGone(context)(gone);
    const instead = `That of ${configFrom} is in effect instead.`;
    context.output.warn(
      `${broken.message.replace(/\.?$/, ".")} ${bare ? instead : `${instead} ${bringBack(configFrom)}`}`,
    );
  };

const bringBack = (configFrom: string): string => `\`git checkout ${configFrom} -- kai.yaml\` brings it back.`;

/** What became of state that was written while an operation was interrupted. */
export const keptThen = ({ path, kept }: Recovered["replaced"][number]): string =>
  `${path} was written meanwhile: that is kept in ${kept}`;

export function tellRecovered(recovered: readonly Recovered[], { output }: CommandContext): void {
  for (const each of recovered) {
    output.note(
      each.outcome === "completed"
        ? `Finished an interrupted ${each.kind} (${each.operation}).`
        : `Took back an interrupted ${each.kind} (${each.operation}): it had not happened.`,
    );
    for (const kept of each.replaced) output.warn(keptThen(kept));
    if (each.agent?.ok && each.agent.again)
      output.note("The agent was started once more: it had been stopped with the one beside it.");
    if (each.agent?.runsOn) output.note(each.agent.runsOn);
    if (each.agent?.ok === false) output.warn(`The agent that is to run could not be started: ${each.agent.error}`);
    if (each.ended?.ok === false)
      output.warn(`The agent that is not to run any more was not ended: ${each.ended.error}`);
  }
}
