import type { JudgedCondition } from "../rollback/conditions.js";
import type { PlannedDeployment, PlanStep } from "../rollback/plan.js";
import type { Replaced } from "../rollback/put-back.js";
import type { Rehearsal } from "../rollback/rehearse.js";
import type { Risk } from "../rollback/risks.js";
import type { VersionedRollback } from "../rollback/roll-back-after-version.js";
import type { RollbackResult } from "../rollback/rollback.js";
import { illnessOf, type StepResult } from "../rollback/step-result.js";
import type { Suggestion } from "../rollback/suggest.js";
import type { Judged } from "../rollback/when.js";
import { madeBefore, plannedBefore } from "./describe-version-before.js";
import { formatDuration } from "./format-time.js";
import type { Output } from "./output.js";
import { printable } from "./style.js";
import { type Column, formatLabelled, formatTable } from "./table.js";

/** A rollback that was made, or the plan of one. */
export function describeRollback(result: VersionedRollback, output: Output): string {
  return result.operation === null ? describePlan(result, output) : describeDone(result, output);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Of a part that goes back nobody can say which commits are undone. */
const undoing = ({ type, undone }: RollbackResult): string =>
  type === "selective" || type === "partial" ? "" : `, undoing ${counted(undone, "commit")}`;

/** What becomes of the deployment. */
export const switched = ({ from, to }: PlannedDeployment): string =>
  from === to ? `${from} stays` : `${from} -> ${to}`;

function describePlan(result: VersionedRollback, output: Output): string {
  const { style } = output;
  const { plan } = result;
  const { estimateMs } = plan;
  const { stateAlone, from, to } = plan;
  const lines = [
    stateAlone
      ? `Would take the state of ${style.bold(to)} back by the policy ${plan.policy}; ${from} stays in force.`
      : `Would roll back ${style.bold(from ?? "nothing")} -> ${style.bold(to)} by the policy ${plan.policy}${undoing(result)}.`,
    estimateMs === null
      ? "No rollback was made on this machine yet, so nobody knows how long it takes."
      : `It took ${formatDuration(estimateMs)} before, as far as is known; it is given up where it is not ready within ${formatDuration(plan.timeoutMs)}.`,
  ].map((line) => formatLabelled("", line, output.columns));
  lines.push(...plannedBefore(result.versionBefore, output));
  if (plan.mints !== null) lines.push(`The files are no version yet: they become ${style.bold(plan.mints)}.`);
  if (plan.takes.why !== null) lines.push(`That takes the role ${plan.takes.role}: ${plan.takes.why}.`);
  if (plan.deployment !== null) lines.push(`At ${plan.deployment.root}: ${switched(plan.deployment)}.`);
  lines.push(
    "",
    ...describeSteps(plan.steps, output),
    ...describeConditions(plan.conditions, output),
    ...describeRisks(plan.risks, output),
  );
  lines.push("", "Nothing was changed.");
  return lines.join("\n");
}

function describeSteps(steps: readonly PlanStep[], output: Output): string[] {
  const { style } = output;
  // Nobody knows before the first time.
  const estimated = steps.some(({ applies, estimateMs }) => applies && estimateMs !== null);
  const rows = steps.map(({ type, does, applies, longestMs, critical, estimateMs }) => [
    applies ? type : style.dim(type),
    applies ? does : style.dim(`– ${does}`),
    applies ? formatDuration(longestMs) : "",
    ...(estimated ? [applies && estimateMs !== null ? formatDuration(estimateMs) : ""] : []),
    applies && critical ? "yes" : "",
  ]);
  const columns: Column[] = [
    { title: "STEP" },
    { title: "WHAT", shrink: "wrap" },
    { title: "AT MOST" },
    ...(estimated ? [{ title: "BEFORE" }] : []),
    { title: "CRITICAL" },
  ];
  return [formatTable(columns, rows, output.columns)];
}

/** Those that are required, and what does not hold of the others. */
function describeConditions(conditions: readonly JudgedCondition[], { columns }: Output): string[] {
  const shown = conditions.filter(({ required, problem }) => required || problem !== null);
  if (shown.length === 0) return [];
  return [
    "",
    ...shown.map((each) =>
      formatLabelled("", `condition ${each.type}${each.required ? "" : " (not required)"}: ${verdict(each)}`, columns),
    ),
  ];
}

function verdict({ type, problem }: JudgedCondition): string {
  if (problem !== null) return `does not hold: ${problem}`;
  return type === "backup_verification" ? "judged when the backup is there" : "holds";
}

function describeRisks(risks: readonly Risk[], { style, columns }: Output): string[] {
  if (risks.length === 0) return [];
  const colour = { high: style.red, medium: style.yellow, low: style.dim };
  return [
    "",
    ...risks.map(({ severity, message }) => formatLabelled(colour[severity](`risk (${severity})`), message, columns)),
  ];
}

const MARKS = { done: "✓", skipped: "–", failed: "✗", compensated: "↶", planned: "·" } as const;

/** A line for a step that has ended, and one for each remark. */
export function describeStep({ type, status, durationMs, error, remarks }: StepResult, { style }: Output): string {
  const colour = {
    done: style.green,
    failed: style.red,
    compensated: style.yellow,
    skipped: style.dim,
    planned: style.dim,
  };
  const time = durationMs === null || status === "skipped" ? "" : style.dim(`  ${formatDuration(durationMs)}`);
  const line = `  ${colour[status](MARKS[status])} ${type}${time}${error === null ? "" : `  ${error}`}`;
  return [line, ...remarks.map((remark) => `      ${style.dim(printable(remark))}`)].join("\n");
}

/** That what is in force is not well although nothing is done about it; nothing where it is well. */
export function describeIllness(steps: readonly StepResult[], { style }: Output): string[] {
  const ill = illnessOf(steps);
  if (ill === undefined) return [];
  const why = (ill.error ?? "").replace(/\.$/, "");
  return [`${style.yellow("!")} It is not well: ${printable(why)}, and the policy does not hold that against it.`];
}

function describeDone(result: VersionedRollback, output: Output): string {
  const { style } = output;
  const { plan, commit, version, to, from } = result;
  const isPart = result.type === "selective" || result.type === "partial";
  const told = isPart
    ? `${style.green("✓")} Took parts of ${style.bold(to)} back, ${version} is in force`
    : `${style.green("✓")} Rolled back ${from ?? "nothing"} -> ${style.bold(to)}`;
  const lines = [
    plan.stateAlone ? `${style.green("✓")} Took the state of ${style.bold(to)} back, ${version} stays in force` : told,
  ];
  if (plan.stateAlone) lines.push("  The files stay as they are: no commit and no version was needed.");
  else if (commit === null) lines.push("  The branch holds its files already: no commit was needed.");
  else lines.push(`  commit   ${commit.slice(0, 10)}${undoing(result)}`);
  lines.push(...madeBefore(result.versionBefore));
  if (plan.mints !== null) lines.push(`  version  ${style.bold(version)}, made of the files that are there now`);
  if (plan.deployment !== null) lines.push(`  deployed ${switched(plan.deployment)}`);
  lines.push(...result.steps.filter(({ status }) => status !== "skipped").map((step) => describeStep(step, output)));
  for (const { message } of plan.risks)
    lines.push(formatLabelled(`  ${style.yellow("risk")}   `, message, output.columns));
  if (result.backup !== null) lines.push(describeBackup(result.backup));
  if (result.stateBackup !== null) lines.push(`  state of before  ${result.stateBackup}`);
  lines.push(...describeReplaced(result.replaced));
  lines.push("", ...describeIllness(result.steps, output), describeState(result));
  lines.push("`git kai-version undo` takes this back.");
  return lines.join("\n");
}

export const describeBackup = (ref: string): string => `  files of before  ${ref}  (\`git checkout ${ref} -- PATH\`)`;

/** What git ignores and was replaced, a line each. */
export const describeReplaced = (replaced: readonly Replaced[]): string[] =>
  replaced.map(({ path, kept }) => printable(`  ${path} of before  ${kept}`));

function describeState({ plan: { state, stateAlone, to }, steps }: RollbackResult): string {
  if (steps.some(({ type, status }) => type === "restore_data" && status === "failed")) {
    return "The agent's live state was left as it is: restore_data failed.";
  }
  if (state.kind === "live") return "The agent's live state was left as it is.";
  if (state.kind === "migrated") return "The agent's live state was converted by lifecycle.migrate.";
  const [, operation] = /^refs\/kai\/backup\/(.+)-state$/.exec(state.ref) ?? [];
  return operation
    ? `The agent's state is that which was saved before the operation ${operation}.`
    : `The agent's state is that which was captured with ${stateAlone ? to : "the version"}.`;
}

/** The versions that a rollback may go to, with what speaks for and against each. */
export function describeSuggestions({ targets }: { targets: readonly Suggestion[] }, output: Output): string {
  if (targets.length === 0) return "There is no other version to go back to.";
  const rows = targets.map(({ version, score, evidence }) => [version, String(score), evidence.join("; ")]);
  return formatTable(
    [{ title: "VERSION" }, { title: "SCORE" }, { title: "EVIDENCE", shrink: "wrap" }],
    rows,
    output.columns,
  );
}

/** What a condition was judged by, and what was done where it held. */
export function describeWhen(
  { triggered, condition, metrics }: Judged,
  done: VersionedRollback | null,
  output: Output,
): string {
  const { style, quiet } = output;
  if (quiet && !triggered) return "";
  const measured = Object.entries(metrics).map(
    ([name, figure]) => `${name} ${figure === null || figure === undefined ? "unknown" : Number(figure.toFixed(2))}`,
  );
  const mark = triggered ? style.yellow("!") : style.green("✓");
  const lines = [`${mark} ${condition}: ${triggered ? "holds" : "does not hold"}  (${measured.join(", ")})`];
  return [...lines, done === null ? "Nothing was done." : describeRollback(done, output)].join("\n");
}

/** What became of a rollback on a copy. */
export function describeRehearsal(rehearsal: Rehearsal, output: Output): string {
  const { ok, problem, rollback, isolation, remarks } = rehearsal;
  const { style } = output;
  const lines = [
    ok
      ? `${style.green("✓")} It would succeed: the whole plan was run on a copy${isolation === "container" ? ", in a container" : ""}.`
      : `${style.red("✗")} It would fail: ${problem?.message ?? ""}${problem?.hint ? `\n  ${problem.hint}` : ""}`,
  ];
  for (const step of rollback?.steps ?? []) if (step.status !== "skipped") lines.push(describeStep(step, output));
  const left =
    rollback?.plan.steps.filter(({ does }) => does.startsWith("not rehearsed")).map(({ type }) => type) ?? [];
  if (ok && rollback) lines.push(...describeIllness(rollback.steps, output));
  if (left.length > 0)
    lines.push(style.dim(`  – ${left.join(", ")}: not rehearsed, the agent that runs is left alone`));
  lines.push(...describeIsolation(rehearsal, output));
  lines.push(...remarks.map((remark) => printable(`  ${remark}`)));
  if (rollback) lines.push(...describeRisks(rollback.plan.risks, output));
  const but = isolation === "container" ? "" : ", but for what commands did outside of the copy";
  return [...lines, "", `Nothing was changed${but}.`].join("\n");
}

const NETWORKS = {
  none: "without a network",
  install: "without a network, but to install",
  host: "",
} as const;

/** What its commands could meet. */
function describeIsolation({ isolation, notContained, network }: Rehearsal, { style }: Output): string[] {
  if (isolation === "container") {
    return ["", `Commands ran in a container ${NETWORKS[network]}, the copy in the agent's place.`];
  }
  return [
    "",
    `${style.yellow("!")} Commands ran on this host, and could meet all that is on it: there was no container.`,
    printable(`  ${notContained ?? ""}`),
  ];
}
