import type { DeployedVersion } from "../../deploy/deploy.js";
import { deployAfterVersion } from "../../deploy/deploy-after-version.js";
import { KaiError } from "../../error.js";
import type { AfterVersion } from "../../trigger/version-before.js";
import { describeStanding } from "../../version/standing.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import { madeBefore, plannedBefore, warnOfVersionBefore } from "../describe-version-before.js";
import type { Output } from "../output.js";
import { interruptibly } from "../rollback-caller.js";
import { wellAfter } from "../started-agent.js";
import { oneLine } from "../style.js";
import { warnOfOthers } from "../warn-of-others.js";

export const deployCommand = defineCommand({
  name: "deploy",
  summary: "Put a version into a folder of its own and switch `current` to it",
  description:
    "Verifies the version, writes its files to versions/vX.Y.Z below the folder that --to or deploy.root of kai.yaml names, read-only and with a manifest to check them by, and switches the link `current` to it at once: whoever reads through it finds the old version or the new one. The newest deployments (deploy.keep) stay. With lifecycle.start in the version's kai.yaml its agent is started in the new folder and must be well before the switch; then the one that ran before is stopped. Where it is not well nothing is switched, and the command ends with 1. With snapshot_isolation.require_snapshot_test only a version that has passed its tests in a snapshot is deployed. One that is archived is refused, and of a deprecated one it is said.",
  arguments: { version: required("the version, or `current`") },
  options: {
    to: value("DIR", "the folder of the deployments, in place of deploy.root"),
    trustCommands: flag("run its commands although nobody confirmed where this clone's trust root comes from"),
    noCommands: flag("run none of its commands: write the folder and switch, no more"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [
    {
      line: "git kai-version deploy 1.2.0 --to /srv/agents/clerk",
      does: "the agent runs in /srv/agents/clerk/current",
    },
    { line: "git kai-version deploy current", does: "deploys what is in force to deploy.root" },
  ],
  async run({ dryRun, ...asked }, context) {
    const work = interruptibly(context, (caller) => deployAfterVersion(caller, { ...asked, dryRun }));
    const deployed = await work.catch((cause: unknown) => {
      if (cause instanceof KaiError && !context.output.json) showOutput(cause.data?.["output"], context.output);
      throw cause;
    });
    const { incomplete, versionBefore, standing } = deployed;
    warnOfVersionBefore(versionBefore, context.output);
    if (standing?.status === "deprecated") context.output.warn(`${deployed.tag} is ${describeStanding(standing)}`);
    if (incomplete.length > 0) {
      context.output.warn(
        `Not in the folder is what Git LFS keeps or a submodule holds: ${incomplete.slice(0, 5).map(oneLine).join(", ")}${incomplete.length > 5 ? ", …" : ""}`,
      );
    }
    if (deployed.started?.answeredBefore) {
      context.output.warn(
        deployed.previous !== null
          ? "lifecycle.health passed before the new agent was started, so it says nothing of it: let it ask for KAI_VERSION."
          : "lifecycle.health passed before the agent was started: another one may run already that others started, such as by hand in the working tree, and is not ended. Let health ask for KAI_VERSION.",
      );
    }
    warnOfOthers(deployed, context.output);
    context.output.result({ ...deployed, dryRun }, describeDeployed);
  },
});

/** Lines shown of what a command printed that failed. */
const SHOWN_LINES = 15;

function showOutput(printed: unknown, output: Output): void {
  const text = typeof printed === "string" ? printed.trimEnd() : "";
  if (text !== "") output.note(text.split("\n").slice(-SHOWN_LINES).join("\n"));
}

function describeDeployed(deployed: AfterVersion<DeployedVersion> & { dryRun: boolean }, output: Output): string {
  const { style } = output;
  const { tag, previous, removed, changed, written, dryRun, versionBefore } = deployed;
  const instead = previous === null || previous === deployed.version ? "" : ` in place of ${previous}`;
  const lines: string[] = dryRun ? plannedBefore(versionBefore, output) : [];
  if (dryRun) lines.push(`Would deploy ${style.bold(tag)}${instead}`);
  else if (deployed.operation === null) lines.push(`${style.bold(tag)} is deployed already, and its files are whole.`);
  else lines.push(`${style.green("✓")} Deployed ${style.bold(tag)}${instead}`);
  const found = written ? "" : dryRun ? "  (it is there already)" : "  (it was there, and is whole)";
  lines.push(`  path     ${deployed.path}${deployed.operation === null && !dryRun ? "" : found}`);
  if (!dryRun) lines.push(...madeBefore(versionBefore));
  if (deployed.started) lines.push(`  agent    ${wellAfter(deployed.started)}`);
  if (removed.length > 0) lines.push(`  removed  ${removed.join(", ")}`);
  if (changed.length > 0) {
    lines.push(
      style.yellow(
        `  kept     ${changed.join(", ")}  (beyond deploy.keep, but not what was deployed: look at them first)`,
      ),
    );
  }
  return lines.join("\n");
}
