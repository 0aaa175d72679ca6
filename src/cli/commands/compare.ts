import { compareVersions } from "../../version/compare.js";
import { tellConfigGone } from "../caller.js";
import { defineCommand, flag, required } from "../define-command.js";
import { describeComparison } from "../describe-comparison.js";

export const compareCommand = defineCommand({
  name: "compare",
  summary: "Show what differs between two versions",
  description:
    "Compares the files by kind, the configuration key by key, the dependencies by lock file and the captured state, and says which bump the change asks for, whether a migration is needed and whether there is a way back. Nothing is changed or verified.",
  arguments: {
    from: required("a version, its tag, `current` or `HEAD`"),
    to: required("the other one"),
  },
  options: { patch: flag("add git's unified diff", { short: "p" }) },
  examples: [
    { line: "git kai-version compare 1.0.0 1.1.0", does: "what 1.1.0 changed" },
    { line: "git kai-version compare current HEAD --patch", does: "what the next version would bring, line by line" },
  ],
  async run(input, context) {
    const { cwd, env, output } = context;
    const comparison = await compareVersions(cwd, env, input, tellConfigGone(context));
    for (const note of comparison.notes) output.note(note);
    output.result(comparison, describeComparison);
  },
});
