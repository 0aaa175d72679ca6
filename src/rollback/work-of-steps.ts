import type { PlanFacts, PlannedCommand } from "./plan.js";
import type { StepType } from "./step-types.js";

/** What a step will do, or why it has nothing to do. */
interface Work {
  readonly does: string;
  readonly applies: boolean;
  readonly command?: PlannedCommand | null;
}

const nothing = (why: string): Work => ({ does: why, applies: false });
const paths = (count: number): string => `${count} ${count === 1 ? "path" : "paths"}`;
const commits = (count: number): string => `${count} ${count === 1 ? "commit" : "commits"}`;
const files = (count: number): string => `${count} ${count === 1 ? "file" : "files"}`;

const changesWhatRuns = ({ files: { changed }, state, deployment, renumbers }: PlanFacts): boolean =>
  changed > 0 || state.kind !== "live" || deployment?.from !== deployment?.to || renumbers;

/** What each of the ten steps does, by what was read. */
export const WORK: Readonly<Record<StepType, (facts: PlanFacts) => Work>> = {
  validate_target: ({ to }) => ({ does: `verify the signature and the content of ${to}`, applies: true }),
  restore_dependencies: ({ commands, putsBack, environmentChanges }) => {
    if (putsBack > 0) return { does: `put back what was installed before, ${paths(putsBack)}`, applies: true };
    return commands.install === null
      ? nothing(
          environmentChanges
            ? "the lock files differ, and there is no lifecycle.install"
            : "the lock files are the same",
        )
      : { does: "install the target's dependencies aside", applies: true, command: commands.install };
  },
  stop_agent: (facts) => {
    const { commands, type } = facts;
    if (facts.leavesAgent) return nothing("not rehearsed: the agent that runs is left alone");
    if (!changesWhatRuns(facts)) return nothing("nothing that runs is changed");
    if (commands.stop === null && !commands.runs) return nothing("there is no lifecycle.stop");
    if (type === "emergency") {
      const does =
        commands.stop === null ? "kill what was started" : "kill what was started; where nothing was, stop it";
      return { does, applies: true, command: commands.stop };
    }
    return { does: "stop the agent", applies: true, command: commands.stop };
  },
  backup_current: ({ saveState }) => ({
    does: saveState
      ? "save the live state, and files that would be overwritten"
      : "save files that would be overwritten",
    applies: true,
  }),
  restore_code: ({ files: { changed }, undone }) => ({
    does: `put ${files(changed)} in place by one commit${undone === 0 ? "" : ` that undoes ${commits(undone)}`}`,
    applies: changed > 0,
  }),
  restore_config: ({ files: { config } }) =>
    config === 0
      ? nothing("the configuration is the same")
      : { does: `${files(config)} of configuration, by the same commit`, applies: true },
  restore_data: ({ state, commands }) => {
    if (state.kind === "live") return nothing(state.why);
    if (state.kind === "migrated") {
      const where = state.forward ? "forward by lifecycle.migrate of the target" : "back by lifecycle.migrate";
      return { does: `take the live state ${where}`, applies: true, command: commands.migrate };
    }
    return { does: "put the captured state in place", applies: true };
  },
  start_agent: (facts) => {
    const { start } = facts.commands;
    if (facts.leavesAgent) return nothing("not rehearsed: the agent that runs is left alone");
    if (start === null) return nothing("there is no lifecycle.start");
    if (!changesWhatRuns(facts)) return nothing("nothing that runs is changed");
    return { does: "start the agent and wait until it is well", applies: true, command: start };
  },
  validate_rollback: ({ validations }) =>
    validations.length === 0
      ? nothing("there is no lifecycle.health, and there are no tests")
      : { does: `check ${validations.map(({ name }) => name).join(", ")}`, applies: true },
  cleanup: () => ({ does: "remove what was staged, and backups that are too old", applies: true }),
};
