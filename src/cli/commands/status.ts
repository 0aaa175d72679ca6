import { type DeploymentStatus, readDeploymentStatus } from "../../deploy/deployment-status.js";
import { readAgentHistory } from "../../version/reading.js";
import { describeStanding, isGivenUp } from "../../version/standing.js";
import { type AgentStatus, readStatusOf } from "../../version/status.js";
import { tellConfigBroken } from "../caller.js";
import { defineCommand } from "../define-command.js";
import { describeRunning, INTERRUPTED } from "../describe-unfinished.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";

export const statusCommand = defineCommand({
  name: "status",
  summary: "Say what is in force and what differs from it",
  async run(_input, context) {
    const found = await readAgentHistory(context.cwd, context.env, tellConfigBroken(context));
    const [status, deployment] = await Promise.all([readStatusOf(found), readDeploymentStatus(found)]);
    context.output.result({ ...status, deployment }, describeStatus);
  },
});

/** More paths than these are summed up. */
const SHOWN = 20;

type FullStatus = AgentStatus & { readonly deployment: DeploymentStatus | null };

function describeStatus(status: FullStatus, output: Output): string {
  return [describeAgent(status, output), ...describeDeployment(status, output)].join("\n");
}

function describeDeployment({ deployment, current }: FullStatus, { style }: Output): string[] {
  if (deployment === null) return [];
  const { root, version, problem, differs } = deployment;
  const lines = [
    "",
    version === null ? `Nothing is deployed at ${root}.` : `${style.bold(version)} is deployed at ${root}.`,
  ];
  if (version !== null && problem === null && version !== current) {
    lines.push(style.yellow(`It is not what is in force: \`git kai-version deploy current\` deploys that.`));
  }
  if (problem !== null && differs.length === 0) lines.push(style.red(`${problem.code}: ${problem.message}`));
  if (differs.length > 0) lines.push(style.red(`${problem?.code}: it was changed since:`));
  for (const each of differs.slice(0, SHOWN)) lines.push(`  ${each.problem.padEnd(9)}  ${oneLine(each.path)}`);
  if (differs.length > SHOWN) lines.push(`  and ${differs.length - SHOWN} more`);
  return lines;
}

const noneInForce = ({ problems }: AgentStatus): string =>
  problems.length > 0 ? "what is in force is not known" : "no version is in force: `git kai-version create` makes one";

function describeAgent(status: AgentStatus, { style }: Output): string {
  const lines = [
    `${style.bold(status.agent)}  ${status.current === null ? noneInForce(status) : `${style.bold(status.current)} is in force`}${
      status.latest !== null && status.latest !== status.current ? `, ${status.latest} is the newest` : ""
    }`,
  ];
  const { standing } = status;
  if (standing !== null) {
    const line = `It is ${describeStanding(standing)}.`;
    lines.push(isGivenUp(standing.status) ? style.yellow(line) : line);
  }
  for (const { message } of status.problems) lines.push(style.red(message));
  if (status.running !== null) lines.push(style.yellow(describeRunning(status.running)));
  if (status.recovery) lines.push(style.yellow(INTERRUPTED));
  if (status.unborn) lines.push("No commit yet: versions are made of what is committed.");
  else if (status.branch === null) lines.push("HEAD is detached: `git switch BRANCH` goes to a branch.");
  if (status.unversioned === null) {
    lines.push("This is a shallow clone: commits that no version has yet cannot be counted.");
  } else if (status.unversioned > 0) {
    lines.push(
      `${status.unversioned} ${status.unversioned === 1 ? "commit is" : "commits are"} in no version yet: \`git kai-version next\` says what that asks for.`,
    );
  }
  if (status.modified.length === 0) {
    if (status.current !== null && !status.unborn) lines.push("Nothing differs from it.");
    return lines.join("\n");
  }
  const how = { committed: "committed", changed: style.yellow("changed  "), untracked: style.yellow("untracked") };
  lines.push("", "Differs from it:");
  for (const each of status.modified.slice(0, SHOWN)) {
    lines.push(`  ${how[each.how]}  ${each.component.padEnd(11)} ${oneLine(each.path)}`);
  }
  if (status.modified.length > SHOWN) lines.push(`  and ${status.modified.length - SHOWN} more`);
  return lines.join("\n");
}
