import { promoteVersion } from "../../snapshot/gate/promote-version.js";
import { STABILITIES, STATUSES } from "../../version/standing.js";
import { callerOf } from "../caller.js";
import { choice, defineCommand, flag, oneOf, required, value } from "../define-command.js";
import { describePromoted } from "../describe-standing.js";
import { nothing } from "../output.js";

export const promoteCommand = defineCommand({
  name: "promote",
  summary: "Say where a version stands: in testing, in production",
  description:
    "Adds to the signed log that a version is in development, testing, staging or production, deprecated or archived, and how stable it is. It takes a releaser's key, which vouches for the version, so its signature and files are verified before. The newest word counts, in any order: what was archived can be promoted again. With snapshot_isolation.require_snapshot_test only a version that has passed its tests in a snapshot gets to staging or production. What is in force or deployed stays as it is. `undo` brings back the standing before.",
  arguments: {
    version: required("the version, or `current`"),
    status: oneOf(STATUSES, "development, testing, staging, production, deprecated or archived"),
  },
  options: {
    stability: choice(STABILITIES, "how stable it is; default: as was said before"),
    reason: value("TEXT", "why, for those who use it"),
    dryRun: flag("say what would be done and change nothing"),
  },
  examples: [
    { line: "git kai-version promote 1.4.0 staging --stability beta", does: "1.4.0 is tried by a few" },
    { line: "git kai-version promote current production", does: "what is in force is what everybody is to use" },
  ],
  async run({ version, status, stability, reason, dryRun }, context) {
    const promoted = await promoteVersion(callerOf(context), { version, status, stability, reason, dryRun });
    context.output.result({ ...promoted, dryRun }, describePromoted, dryRun ? undefined : nothing);
  },
});
