import type { Component } from "../../agent/component.js";
import { KaiError } from "../../error.js";
import type { RollbackCaller } from "../../rollback/decided.js";
import { type DecidedOn, isOvertaken } from "../../rollback/overtaken.js";
import { ROLLBACK_TYPES } from "../../rollback/plan.js";
import { rehearse } from "../../rollback/rehearse.js";
import type { RollbackOptions } from "../../rollback/request.js";
import { rollBackAfterVersion } from "../../rollback/roll-back-after-version.js";
import { rollBackSafely } from "../../rollback/roll-back-safely.js";
import { suggestTargets } from "../../rollback/suggest.js";
import { type Judged, judgeWhen, requireSuggestion, type WhenOptions } from "../../rollback/when.js";
import { readAgentHistory } from "../../version/reading.js";
import { tellConfigBroken } from "../caller.js";
import type { CommandContext } from "../context.js";
import { choice, defineCommand, flag, list, optional, value } from "../define-command.js";
import { describeRehearsal, describeRollback, describeSuggestions, describeWhen } from "../describe-rollback.js";
import { warnOfVersionBefore } from "../describe-version-before.js";
import { interruptible } from "../interruption.js";
import { interruptibly, rollbackCallerOf } from "../rollback-caller.js";

const COMPONENTS: readonly Component[] = [
  "code",
  "config",
  "prompts",
  "tools",
  "data",
  "models",
  "environment",
  "build",
  "state",
  "assets",
];

export const rollbackCommand = defineCommand({
  name: "rollback",
  summary: "Return to an earlier version",
  description:
    "Verifies the version, stops the agent, saves its state, puts files and captured state of the version in place by one new signed commit, puts it in force, starts the agent and asks whether it is well; kai.yaml says by which commands (lifecycle) and policy (rollback_system). The branch only moves forward and nothing is lost: the version left is marked withdrawn, and `undo` takes the rollback back.",
  arguments: { version: optional("the version to go back to; of type snapshot the operation to go back behind") },
  options: {
    to: value("VERSION", "the same, as an option"),
    type: choice(ROLLBACK_TYPES, "what goes back; emergency kills instead of stopping, and tests nothing"),
    component: list("C", "only files of this kind, or `state` (type selective); may be given again"),
    path: list("P", "only this file, folder or glob (type partial); may be given again"),
    policy: value("NAME", "a policy of rollback_system; default: the first"),
    keepState: flag("leave the live state as it is, or convert it by lifecycle.migrate"),
    when: value(
      "CONDITION",
      "go back only where it holds, e.g. 'health == 0 AND minutes_in_force > 5'; see docs/unattended.md",
    ),
    suggest: flag("rank the versions to go back to, with the evidence, and change nothing"),
    rehearse: flag(
      "run the whole plan on a copy of repository and state, in a container where there can be one, and say what would fail",
    ),
    force: flag(
      "save changes that are not committed and go on; go back to a withdrawn version, or further than allowed",
    ),
    unproven: flag("go back to a version of another tool, which nothing proves"),
    trustCommands: flag("run the commands of kai.yaml although nobody has confirmed this clone's trust root"),
    dryRun: flag("print the plan and change nothing"),
  },
  examples: [
    { line: "git kai-version rollback 1.0.0", does: "puts 1.0.0 in force again, with its state" },
    { line: "git kai-version rollback 1.0.0 --dry-run", does: "prints the plan" },
    { line: "git kai-version rollback --when 'health == 0' --json", does: "goes back where the agent is ill" },
    { line: "git kai-version rollback 1.0.0 --component prompts", does: "takes the prompts back, and nothing else" },
  ],
  async run(input, context) {
    if (input.suggest) return suggest(context);
    const { version, to } = input;
    if (version !== undefined && to !== undefined && version !== to) {
      throw new KaiError("E122", `Two versions were given: ${version} and ${to}.`, { hint: "Name one." });
    }
    const options = optionsOf(input);
    const caller = rollbackCallerOf(context);
    const roll = (name: string, decidedOn?: DecidedOn) =>
      interruptibly(context, async (each) => {
        const rolling = input.dryRun ? rollBackAfterVersion : rollBackSafely;
        const done = await rolling(each, { ...options, to: name, decidedOn });
        warnOfVersionBefore(done.versionBefore, context.output);
        return done;
      });
    const asked = version ?? to;
    if (input.rehearse) return rehearseIt(asked, options, context);
    if (input.when !== undefined) {
      const look = { condition: input.when, trustCommands: input.trustCommands };
      const { judged, done } = await rollBackWhen(caller, look, (each) =>
        roll(asked ?? requireSuggestion(each), each.decidedOn),
      );
      context.output.result({ ...toldOf(judged), ...done }, (_told, output) => describeWhen(judged, done, output));
      return;
    }
    if (asked === undefined) {
      const versions = await versionsToGoBackTo(context);
      const chosen = await offer(context, "To which version?", versions);
      if (chosen === undefined) throw noneNamed(versions);
      context.output.result(await roll(chosen), describeRollback);
      return;
    }
    const result = await roll(asked).catch(async (cause: unknown) => {
      // Nothing was touched yet, and on a terminal somebody can name another one.
      if (!(cause instanceof KaiError && cause.code === "E101")) throw cause;
      const chosen = await offer(context, cause.message, await versionsToGoBackTo(context));
      if (chosen === undefined) throw cause;
      return roll(chosen);
    });
    context.output.result(result, describeRollback);
  },
});

interface RollbackInput {
  readonly type: RollbackOptions["type"];
  readonly component: readonly string[];
  readonly path: readonly string[];
  readonly policy: string | undefined;
  readonly keepState: boolean;
  readonly force: boolean;
  readonly unproven: boolean;
  readonly trustCommands: boolean;
  readonly dryRun: boolean;
}

const notWith = (option: string, type: string, meant: string): string =>
  meant === type ? `Type ${type} takes ${option}.` : `${option} goes with type ${type}, not ${meant}.`;

function optionsOf({ type, component, path, ...input }: RollbackInput): Omit<RollbackOptions, "to"> {
  const meant = type ?? (component.length > 0 ? "selective" : path.length > 0 ? "partial" : "version");
  const wrong = (message: string, hint: string) => new KaiError("E122", message, { hint });
  const unknown = component.find((each) => !COMPONENTS.includes(each as Component));
  if (unknown !== undefined) throw wrong(`There is no component ${unknown}.`, `There are ${COMPONENTS.join(", ")}.`);
  if ((meant === "selective") !== component.length > 0) {
    throw wrong(notWith("--component", "selective", meant), "Name at least one, and no other type.");
  }
  if ((meant === "partial") !== path.length > 0) {
    throw wrong(notWith("--path", "partial", meant), "Name at least one, and no other type.");
  }
  const { policy, keepState, force, unproven, trustCommands, dryRun } = input;
  const common = { policy, keepState, force, unproven, trustCommands, dryRun };
  return { type: meant, components: component as readonly Component[], paths: path, ...common };
}

async function rehearseIt(
  asked: string | undefined,
  options: Omit<RollbackOptions, "to">,
  context: CommandContext,
): Promise<void> {
  if (asked === undefined) throw noneNamed(await versionsToGoBackTo(context));
  const rehearsal = await interruptible((interrupted) => {
    interrupted.addEventListener("abort", () => context.output.note("Interrupted: the copy is taken away."));
    return rehearse({ ...rollbackCallerOf(context), interrupted }, { ...options, to: asked });
  });
  context.output.result(rehearsal, describeRehearsal);
  if (!rehearsal.ok) process.exitCode = 1;
}

/** Looks that another operation may overtake before the last word is its own. */
const MOST_LOOKS = 3;

/** Where another operation comes between the look and the rollback, what that put in force is looked at again. */
async function rollBackWhen<T>(
  caller: RollbackCaller,
  look: WhenOptions,
  roll: (judged: Judged) => Promise<T>,
): Promise<{ readonly judged: Judged; readonly done: T | null }> {
  for (let turn = 1; ; turn++) {
    const judged = await judgeWhen(caller, look);
    try {
      return { judged, done: judged.triggered ? await roll(judged) : null };
    } catch (cause) {
      if (!isOvertaken(cause) || turn === MOST_LOOKS) throw cause;
    }
  }
}

const toldOf = ({ triggered, condition, metrics }: Judged) => ({ triggered, condition, metrics });

async function suggest(context: CommandContext): Promise<void> {
  const { history } = await readAgentHistory(context.cwd, context.env, tellConfigBroken(context));
  context.output.result({ targets: suggestTargets(history, context.now()) }, describeSuggestions);
}

/** How many versions are offered. */
const OFFERED = 9;

/** The newest versions that a rollback may go to, newest first. */
async function versionsToGoBackTo(context: CommandContext): Promise<string[]> {
  const { history } = await readAgentHistory(context.cwd, context.env, () => {});
  return history.versions
    .filter((each) => each.type !== "foreign" && !each.withdrawn && each.standing?.status !== "archived")
    .filter((each) => each.tagId !== history.current?.tag)
    .slice(-OFFERED)
    .reverse()
    .map((each) => each.number.text);
}

const offer = (context: CommandContext, question: string, versions: readonly string[]): Promise<string | undefined> =>
  context.interactive && versions.length > 0 ? context.choose(question, versions) : Promise.resolve(undefined);

const noneNamed = (versions: readonly string[]): KaiError =>
  new KaiError("E122", "No version was named to go back to.", {
    hint:
      versions.length === 0
        ? "There is no other version to go back to."
        : `\`git kai-version rollback ${versions[0]}\`; there are ${versions.join(", ")}.`,
    data: { versions },
  });
