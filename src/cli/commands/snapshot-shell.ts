import { shellInSnapshot } from "../../snapshot/shell-in-snapshot.js";
import { defineCommand, required, value } from "../define-command.js";
import { describeRequests, ENDED } from "../describe-snapshot.js";
import { withSnapshotCaller } from "../snapshot-caller.js";

export const snapshotShellCommand = defineCommand({
  name: "snapshot shell",
  summary: "Open a shell in a snapshot, on this terminal",
  description:
    "Opens a shell in a snapshot that `snapshot create` made, with the terminal handed over: it is resized and hears Ctrl-C like any other. The exit status is the shell's own. What is typed and printed there is not kept; what was asked of the network is, as a run on refs/kai/runs. With --json the document comes on stdout when the shell has ended, and all that is printed in it goes to stderr.",
  arguments: { id: required("the snapshot's id, or how it begins or ends") },
  options: { shell: value("PROGRAM", "the shell; default: bash where it is there, else sh") },
  examples: [{ line: "git kai-version snapshot shell 01K", does: "looks around in it" }],
  async run({ id, shell }, context) {
    const shellEnded = await withSnapshotCaller(context, (caller) =>
      shellInSnapshot(caller, id, { shell, toStderr: context.output.json }),
    );
    const { exitCode, snapshotEnded, podmanEnded } = shellEnded;
    if (snapshotEnded !== null) context.output.warn(ENDED[snapshotEnded]);
    else if (podmanEnded)
      context.output.warn("It was ended from outside: somebody, or this machine, ended its Podman.");
    context.output.told(shellEnded, (told, { style }) => describeRequests(told, style).join("\n"));
    process.exitCode = exitCode;
  },
});
