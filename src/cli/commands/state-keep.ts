import { type KeptState, keepState } from "../../version/manage-state.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, rest } from "../define-command.js";
import { nothing, type Output } from "../output.js";

export const stateKeepCommand = defineCommand({
  name: "state keep",
  summary: "Keep the state captured with a version, however many come after",
  description:
    "`artifacts.state.keep` of kai.yaml bounds how many captures stay; those named here are never given up by it. The log says who decided that. `state forget` ends it.",
  arguments: { version: required("the version"), others: rest("further versions") },
  options: { dryRun: flag("say what would be kept and change nothing") },
  examples: [{ line: "git kai-version state keep 1.4.0", does: "keeps what the agent knew at 1.4.0" }],
  async run({ version, others, dryRun }, context) {
    const kept = await keepState(callerOf(context), { versions: [version, ...others], dryRun });
    context.output.result({ ...kept, dryRun }, describeKept, dryRun ? undefined : nothing);
  },
});

const describeKept = ({ kept, dryRun }: KeptState & { dryRun: boolean }, { style }: Output): string =>
  dryRun ? `Would keep the state of ${kept.join(", ")}.` : `${style.green("✓")} Kept: the state of ${kept.join(", ")}`;
