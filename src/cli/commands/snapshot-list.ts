import { listSnapshots } from "../../snapshot/list-snapshots.js";
import { callerOf } from "../caller.js";
import { defineCommand } from "../define-command.js";
import { describeSnapshots } from "../describe-snapshot.js";

export const snapshotListCommand = defineCommand({
  name: "snapshot list",
  summary: "List this agent's snapshots",
  description:
    "creating: it is being made. ready: it waits for commands. running: one runs in it. stopped: its container has ended, its files are there. error: it could not be made, or was lost. committed: what it changed is a commit. gone: nothing is left of it but what was saved, which `snapshot create refs/kai/snapshots/ID` begins with again.",
  examples: [{ line: "git kai-version snapshot list", does: "shows what there is, and until when" }],
  async run(_input, context) {
    const { snapshots, gone, damaged } = await listSnapshots(callerOf(context));
    for (const { id, hint } of damaged) context.output.warn(`The record of the snapshot ${id} is damaged. ${hint}`);
    context.output.result({ total: snapshots.length, snapshots, gone, damaged }, describeSnapshots);
  },
});
