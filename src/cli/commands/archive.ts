import { promoteVersion } from "../../snapshot/gate/promote-version.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import { describePromoted } from "../describe-standing.js";
import { nothing } from "../output.js";

export const archiveCommand = defineCommand({
  name: "archive",
  summary: "Say that nobody is to use a version any more",
  description:
    "Adds to the signed log that a version is archived: `deploy` refuses it, `rollback` calls it a risk and suggests others before it, and `snapshot test` of a range leaves it out. Nothing of it is removed, and `promote` takes it back into use.",
  arguments: { version: required("the version, or `current`") },
  options: {
    reason: value("TEXT", "why, for those who look for it"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [{ line: "git kai-version archive 0.9.0", does: "0.9.0 is kept and no longer deployed" }],
  async run({ version, reason, dryRun }, context) {
    const request = { version, status: "archived", stability: undefined, reason, dryRun } as const;
    context.output.result(
      { ...(await promoteVersion(callerOf(context), request)), dryRun },
      describePromoted,
      dryRun ? undefined : nothing,
    );
  },
});
