import { initAgent } from "../../version/init.js";
import type { InitResult } from "../../version/init-result.js";
import { planInit } from "../../version/plan-init.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, value } from "../define-command.js";
import { findFoundingKey, openOrMakeKey } from "../founding-key.js";
import { nothing, type Output } from "../output.js";
import { rebuiltLines } from "../rebuilt-lines.js";

export const initCommand = defineCommand({
  name: "init",
  summary: "Put an agent's repository under version control, or adopt a clone of one",
  description:
    "Detects the framework, writes and commits kai.yaml and the ignore lines of runtime state, makes or adopts a signing key, and founds the signed log. On a clone of an agent it fetches the log, verifies all of it, and pins its first entry; run again, it takes in what the remote's log went on with.",
  options: {
    agentId: value("ID", "the agent's id; default: the folder's name"),
    yes: flag("ask nothing; a new key gets no passphrase", { short: "y" }),
    noCommit: flag("write the files and leave the commit to you"),
    newRoot: flag("found a new log although a remote has one"),
    dryRun: flag("say what would be written or fetched and change nothing"),
  },
  examples: [{ line: "git kai-version init", does: "makes the repository around you an agent" }],
  async run({ agentId, yes, noCommit, newRoot, dryRun }, context) {
    const caller = callerOf(context);
    const wish = { agentId, commit: !noCommit, newRoot };
    if (dryRun) {
      const plan = await planInit({ ...caller, findKey: () => findFoundingKey(context) }, wish);
      context.output.result(plan, (told, output) => describeInit(told, output, noCommit));
      return;
    }
    const result = await initAgent(
      { ...caller, openOrMakeKey: () => openOrMakeKey(context, caller.askPassphrase, yes) },
      wish,
    );
    context.output.result(result, describeInit, nothing);
  },
});

function describeInit(result: InitResult, output: Output, noCommit = false): string {
  const { style } = output;
  const lines = [headingOf(result, output), ""];
  const row = (name: string, text: string) => lines.push(`  ${name.padEnd(11)}${text}`);
  if (result.framework !== "") row("framework", result.framework);
  const counts = Object.entries(result.artifacts).sort(([, a], [, b]) => b - a);
  if (counts.length > 0)
    row("files", counts.map(([kind, count]) => `${count} ${count === 1 ? kind.replace(/s$/, "") : kind}`).join(", "));
  if (result.key) row("key", keyLine(result.key));
  if (result.trustRoot) row("trust root", result.trustRoot.digest);
  if (result.written.length > 0)
    row(result.dryRun ? "to write" : "written", `${result.written.join(", ")}  (${commitWords(result, noCommit)})`);
  if (result.untracked.length > 0)
    row("state", `${result.untracked.join(", ")}: git forgets it, each version captures it`);
  if (result.reserved.length > 0)
    row(
      "reserved",
      `${result.reserved.length === 1 ? "1 number of a tag that was" : `${result.reserved.length} numbers of tags that were`} here: ${shorten(result.reserved)}`,
    );
  for (const { tag, reason } of result.skipped.slice(0, 5)) row("skipped", `${tag}: ${reason}`);
  if (result.skipped.length > 5) row("", `and ${result.skipped.length - 5} more`);
  if (result.config !== null) {
    lines.push(
      "",
      style.bold("kai.yaml"),
      ...result.config
        .trimEnd()
        .split("\n")
        .map((line) => `  ${line}`.trimEnd()),
    );
  }
  if (result.dryRun)
    return [...lines, ...(result.outcome === "present" ? [] : ["", "Nothing was changed."])].join("\n");
  if (rebuiltLines(result.rebuilt).length > 0) lines.push("", ...rebuiltLines(result.rebuilt));
  if (result.outcome === "adopted") {
    lines.push(
      "",
      "Compare the trust root with the one its owner tells you; until then this clone takes it as it came.",
    );
  }
  if (result.outcome === "founded") lines.push("", 'Next: `git kai-version create -m "first version"`');
  return lines.join("\n");
}

const bringBack = (configFrom: string): string => `\`git checkout ${configFrom} -- kai.yaml\` brings it back`;

function headingOf(result: InitResult, { style }: Output): string {
  const { outcome, dryRun, agentId, remote, configFrom, configProblem, written } = result;
  const name = style.bold(agentId === "" ? "the agent" : agentId);
  if (outcome === "present") {
    if (configFrom !== null) {
      const wrong = configProblem === null ? "gone" : `broken (${configProblem})`;
      return `${name} is an agent already, but its kai.yaml is ${wrong}: ${bringBack(configFrom)}.`;
    }
    if (written.length > 0)
      return `${name} is an agent already; its kai.yaml was gone, and no version has it: it ${dryRun ? "would be" : "is"} written anew.`;
    return `${name} is an agent already; nothing ${dryRun ? "would be" : "was"} changed.`;
  }
  if (dryRun) {
    if (outcome === "founded") return `Would make ${name} an agent.`;
    if (outcome === "updated")
      return `Would fetch what the log of ${remote} says of ${name}, verify it and take it in.`;
    return remote === null
      ? `Would verify the log of ${name} that is here, and pin it.`
      : `Would fetch the log of ${name} from ${remote}, verify it and adopt it.`;
  }
  const words = {
    founded: `${name} is an agent now.`,
    adopted:
      remote === null
        ? `Adopted ${name}: its log was here; it was verified and pinned.`
        : `Adopted ${name}: its log was fetched and verified.`,
    updated: `Took in what the remote's log says of ${name}, and verified it.`,
  }[outcome];
  const wrong = configProblem === null ? "not here" : `broken (${configProblem})`;
  const gone = configFrom === null ? "" : ` Its kai.yaml is ${wrong}: ${bringBack(configFrom)}.`;
  return `${style.green("✓")} ${words}${gone}`;
}

function keyLine({ fingerprint, made }: NonNullable<InitResult["key"]>): string {
  if (fingerprint === null) return made ? "a new one would be made" : "yours";
  return `${fingerprint}${made ? "  (new)" : ""}`;
}

function commitWords({ commit, dryRun }: InitResult, noCommit: boolean): string {
  if (commit !== null) return `commit ${commit.slice(0, 10)}`;
  return dryRun && !noCommit ? "in a commit of its own" : "not committed";
}

const shorten = (items: readonly string[]): string =>
  items.length <= 6 ? items.join(", ") : `${items.slice(0, 3).join(", ")} … ${items.slice(-2).join(", ")}`;
