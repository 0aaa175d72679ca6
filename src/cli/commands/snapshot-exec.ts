import { parseDuration } from "../../agent/quantity.js";
import { execInSnapshot } from "../../snapshot/exec-in-snapshot.js";
import { commandLine, defineCommand, list, parsed, required, value } from "../define-command.js";
import { describeExecutionInside } from "../describe-snapshot.js";
import { nothingNamed } from "../nothing-named.js";
import { withSnapshotCaller, withStreams } from "../snapshot-caller.js";

/** `UID` or `UID:GID`; the group is the user's where it is not given. */
function userFrom(raw: string): { uid: number; gid: number } {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(raw) ?? [];
  if (uid === undefined) throw new Error(`'${raw}' is no numeric user, such as 1000 or 1000:1000.`);
  return { uid: Number(uid), gid: Number(gid ?? uid) };
}

export const snapshotExecCommand = defineCommand({
  name: "snapshot exec",
  summary: "Run a command in a snapshot",
  description:
    "Runs the command in a snapshot that `snapshot create` made and hands its output on, and its stdin where that is no terminal; the exit status is the command's own. What it leaves running goes on, unless its time is over: then all that it started is ended. The output is kept (`snapshot logs`), and the run on refs/kai/runs.",
  arguments: { id: required("the snapshot's id, or how it begins or ends"), command: commandLine("what to run") },
  options: {
    workdir: value("DIR", "the folder to run it in; default: /app, the agent's files"),
    user: parsed("UID[:GID]", "whom it runs as; default: the sandbox's user", userFrom),
    timeout: parsed("TIME", "when it is ended; default: that of the snapshot", parseDuration),
    env: list("NAME=VALUE", "a variable for it; may be given again"),
  },
  examples: [{ line: "git kai-version snapshot exec 01K -- python3 -m pytest", does: "runs the tests in it" }],
  async run({ id, command, timeout, ...request }, context) {
    const [program, ...args] = command;
    if (program === undefined) throw nothingNamed("snapshot exec ID -- COMMAND");
    const execution = await withSnapshotCaller(context, (caller) =>
      withStreams(context, (streams) =>
        execInSnapshot(caller, id, { ...request, ...streams, command: [program, ...args], timeoutMs: timeout }),
      ),
    );
    context.output.told(execution, describeExecutionInside);
    process.exitCode = execution.exitCode;
  },
});
