import { DISK_FAILED } from "../../snapshot/execution.js";
import { runVersion } from "../../snapshot/testing/run-version.js";
import { commandLine, defineCommand, required } from "../define-command.js";
import { describeExecution, warnUnenforced } from "../describe-snapshot.js";
import { nothingNamed } from "../nothing-named.js";
import { withSnapshotCaller, withStreams } from "../snapshot-caller.js";
import { commitFrom, commitOptions, isolationOptions, optionsFrom } from "../snapshot-options.js";

export const snapshotRunCommand = defineCommand({
  name: "snapshot run",
  summary: "Run one command over a version, in a sandbox that is gone afterwards",
  description:
    "Runs the command in a container over the version's files and hands its output on, and its stdin where that is no terminal; the exit status is the command's own. What it printed, changed and asked of the network is kept as a run (refs/kai/runs); nothing else of it stays.",
  arguments: {
    version: required("the version, `current`, or a commit such as HEAD"),
    command: commandLine("what to run, in /app"),
  },
  options: { ...commitOptions, ...isolationOptions },
  examples: [{ line: "git kai-version snapshot run 1.2.0 -- python3 logic.py --ask hello", does: "asks that version" }],
  async run({ version, command, noWait, commit, allowExecutable, message, ...input }, context) {
    const [program, ...args] = command;
    if (program === undefined) throw nothingNamed("snapshot run VERSION -- COMMAND");
    const execution = await withSnapshotCaller(context, (caller) =>
      withStreams(context, (streams) =>
        runVersion(caller, {
          ...streams,
          version,
          command: [program, ...args],
          options: optionsFrom(input),
          wait: !noWait,
          commit: commitFrom({ commit, allowExecutable, message }),
        }),
      ),
    );
    warnUnenforced(context.output, execution.unenforced);
    const { exitCode, notCommitted, failures } = execution;
    if (notCommitted !== null) context.output.warn(`What it changed was not committed: ${notCommitted}`);
    context.output.told(execution, (_printable, output) => describeExecution(execution, output));
    const isLost = notCommitted !== null || failures.includes(DISK_FAILED);
    process.exitCode = exitCode === 0 && isLost ? 1 : exitCode;
  },
});
