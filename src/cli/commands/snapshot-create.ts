import { createSnapshot } from "../../snapshot/create-snapshot.js";
import { listedSnapshot } from "../../snapshot/list-snapshots.js";
import { defineCommand, required } from "../define-command.js";
import { describeSnapshot, warnUnenforced } from "../describe-snapshot.js";
import { withSnapshotCaller } from "../snapshot-caller.js";
import { optionsFrom, snapshotOptions } from "../snapshot-options.js";

export const snapshotCreateCommand = defineCommand({
  name: "snapshot create",
  summary: "Make an isolated sandbox over a version, which stays",
  description:
    "Puts the version's files under a container that waits for commands (`snapshot exec`, `snapshot shell`), isolated and limited as the version's own kai.yaml says, and these options. Nothing that happens in it touches the repository or another snapshot, until it is committed. It ends by itself when its time is over; what it changed by then is saved before it goes.",
  arguments: { version: required("the version, `current`, or a commit such as HEAD") },
  options: snapshotOptions,
  examples: [
    { line: "git kai-version snapshot create 1.2.0", does: "a sandbox without network" },
    {
      line: "git kai-version snapshot create 1.2.0 --network isolated --allow-host pypi.org",
      does: "one that reaches a single host",
    },
    { line: "git kai-version snapshot create 1.2.0 --base 01K", does: "goes on from what another one has saved" },
  ],
  async run({ version, noWait, ...input }, context) {
    const request = { version, options: optionsFrom(input), wait: !noWait };
    const made = listedSnapshot(await withSnapshotCaller(context, (caller) => createSnapshot(caller, request)));
    warnUnenforced(context.output, made.isolation.unenforced);
    context.output.result(
      made,
      (snapshot, output) =>
        [
          describeSnapshot(snapshot, output),
          "",
          `\`git kai-version snapshot exec ${snapshot.id} -- COMMAND\` runs something in it.`,
        ].join("\n"),
      ({ id }) => id,
    );
  },
});
