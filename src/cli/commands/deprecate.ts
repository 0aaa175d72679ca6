import { promoteVersion } from "../../snapshot/gate/promote-version.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import { describePromoted } from "../describe-standing.js";
import { nothing } from "../output.js";

export const deprecateCommand = defineCommand({
  name: "deprecate",
  summary: "Say that a version is to be used no longer, and why",
  description:
    "Adds to the signed log that a version is deprecated. It can still be deployed and gone back to: both say that it is, and why, and `rollback --suggest` ranks it lower. `promote` takes it back into use.",
  arguments: { version: required("the version, or `current`") },
  options: {
    reason: value("TEXT", "why, for those who use it"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [
    { line: 'git kai-version deprecate 1.2.0 --reason "it forgets names"', does: "whoever deploys 1.2.0 reads that" },
  ],
  async run({ version, reason, dryRun }, context) {
    const request = { version, status: "deprecated", stability: undefined, reason, dryRun } as const;
    context.output.result(
      { ...(await promoteVersion(callerOf(context), request)), dryRun },
      describePromoted,
      dryRun ? undefined : nothing,
    );
  },
});
