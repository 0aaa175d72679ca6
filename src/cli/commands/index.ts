import type { Command } from "../define-command.js";

export interface CommandEntry {
  /** As typed: one word, or two for a command of a group (`key list`). */
  name: string;
  summary: string;
  /** Commands of a few files that start fast load nothing until they are named. */
  load: () => Promise<Command>;
}

/** Every command there is, in the order of the help. Adding one is a file beside this and a line here. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "init",
    summary: "Put an agent's repository under version control, or adopt a clone of one",
    load: async () => (await import("./init.js")).initCommand,
  },
  {
    name: "create",
    summary: "Make a signed version of what is committed",
    load: async () => (await import("./create.js")).createCommand,
  },
  {
    name: "promote",
    summary: "Say where a version stands: in testing, in production",
    load: async () => (await import("./promote.js")).promoteCommand,
  },
  {
    name: "deprecate",
    summary: "Say that a version is to be used no longer, and why",
    load: async () => (await import("./deprecate.js")).deprecateCommand,
  },
  {
    name: "archive",
    summary: "Say that nobody is to use a version any more",
    load: async () => (await import("./archive.js")).archiveCommand,
  },
  {
    name: "next",
    summary: "Say which number is next, and why",
    load: async () => (await import("./next.js")).nextCommand,
  },
  {
    name: "list",
    summary: "List the versions there are",
    load: async () => (await import("./list.js")).listCommand,
  },
  {
    name: "show",
    summary: "Show one version: its record, its signature, what became of it",
    load: async () => (await import("./show.js")).showCommand,
  },
  {
    name: "status",
    summary: "Say what is in force and what differs from it",
    load: async () => (await import("./status.js")).statusCommand,
  },
  {
    name: "current",
    summary: "Say which version is in force",
    load: async () => (await import("./current.js")).currentCommand,
  },
  {
    name: "verify",
    summary: "Prove who released what: signatures, records, the log, and the content",
    load: async () => (await import("./verify.js")).verifyCommand,
  },
  {
    name: "rollback",
    summary: "Return to an earlier version",
    load: async () => (await import("./rollback.js")).rollbackCommand,
  },
  {
    name: "undo",
    summary: "Take an operation back by a new one",
    load: async () => (await import("./undo.js")).undoCommand,
  },
  {
    name: "deploy",
    summary: "Put a version into a folder of its own and switch `current` to it",
    load: async () => (await import("./deploy.js")).deployCommand,
  },
  {
    name: "trigger run",
    summary: "Make the automatic version that is due, if one is",
    load: async () => (await import("./trigger-run.js")).triggerRunCommand,
  },
  {
    name: "recover",
    summary: "Bring interrupted operations to their end",
    load: async () => (await import("./recover.js")).recoverCommand,
  },
  {
    name: "snapshot test",
    summary: "Try a version in a throw-away container, or many side by side",
    load: async () => (await import("./snapshot-test.js")).snapshotTestCommand,
  },
  {
    name: "snapshot create",
    summary: "Make an isolated sandbox over a version, which stays",
    load: async () => (await import("./snapshot-create.js")).snapshotCreateCommand,
  },
  {
    name: "snapshot run",
    summary: "Run one command over a version, in a sandbox that is gone afterwards",
    load: async () => (await import("./snapshot-run.js")).snapshotRunCommand,
  },
  {
    name: "snapshot exec",
    summary: "Run a command in a snapshot",
    load: async () => (await import("./snapshot-exec.js")).snapshotExecCommand,
  },
  {
    name: "snapshot shell",
    summary: "Open a shell in a snapshot, on this terminal",
    load: async () => (await import("./snapshot-shell.js")).snapshotShellCommand,
  },
  {
    name: "snapshot diff",
    summary: "Show what differs in a snapshot from the files that it began with",
    load: async () => (await import("./snapshot-diff.js")).snapshotDiffCommand,
  },
  {
    name: "snapshot save",
    summary: "Keep a snapshot's files as they are now, and let it go on",
    load: async () => (await import("./snapshot-save.js")).snapshotSaveCommand,
  },
  {
    name: "snapshot commit",
    summary: "Make what a snapshot changed a signed commit",
    load: async () => (await import("./snapshot-commit.js")).snapshotCommitCommand,
  },
  {
    name: "snapshot list",
    summary: "List this agent's snapshots",
    load: async () => (await import("./snapshot-list.js")).snapshotListCommand,
  },
  {
    name: "snapshot show",
    summary: "Show one snapshot, or one run: what isolates it, its limits, what became of it",
    load: async () => (await import("./snapshot-show.js")).snapshotShowCommand,
  },
  {
    name: "snapshot runs",
    summary: "List what was run in sandboxes, newest first",
    load: async () => (await import("./snapshot-runs.js")).snapshotRunsCommand,
  },
  {
    name: "snapshot logs",
    summary: "Show what the commands in a snapshot, or a run, printed",
    load: async () => (await import("./snapshot-logs.js")).snapshotLogsCommand,
  },
  {
    name: "snapshot destroy",
    summary: "End a snapshot and take it away with everything in it",
    load: async () => (await import("./snapshot-destroy.js")).snapshotDestroyCommand,
  },
  {
    name: "snapshot prune",
    summary: "Take away snapshots whose time is over, and what a crash left",
    load: async () => (await import("./snapshot-prune.js")).snapshotPruneCommand,
  },
  {
    name: "state list",
    summary: "List the runtime state that was captured with versions",
    load: async () => (await import("./state-list.js")).stateListCommand,
  },
  {
    name: "state keep",
    summary: "Keep the state captured with a version, however many come after",
    load: async () => (await import("./state-keep.js")).stateKeepCommand,
  },
  {
    name: "state forget",
    summary: "Give up the state captured with a version",
    load: async () => (await import("./state-forget.js")).stateForgetCommand,
  },
  {
    name: "log",
    summary: "List the operations, newest first",
    load: async () => (await import("./log.js")).logCommand,
  },
  {
    name: "compare",
    summary: "Show what differs between two versions",
    load: async () => (await import("./compare.js")).compareCommand,
  },
  {
    name: "config show",
    summary: "Show what is in effect, and where each value comes from",
    load: async () => (await import("./config-show.js")).configShowCommand,
  },
  {
    name: "config validate",
    summary: "Check kai.yaml and show every problem in its place",
    load: async () => (await import("./config-validate.js")).configValidateCommand,
  },
  {
    name: "config schema",
    summary: "Print the JSON Schema of kai.yaml, for editors",
    load: async () => (await import("./config-schema.js")).configSchemaCommand,
  },
  {
    name: "key generate",
    summary: "Make a key to sign versions with",
    load: async () => (await import("./key-generate.js")).keyGenerateCommand,
  },
  {
    name: "key import",
    summary: "Take in a key: a secret one to sign with, a public one to verify with",
    load: async () => (await import("./key-import.js")).keyImportCommand,
  },
  {
    name: "key export",
    summary: "Print a key, armored, for gpg, a colleague or CI",
    load: async () => (await import("./key-export.js")).keyExportCommand,
  },
  {
    name: "key list",
    summary: "List your keys and those that you imported",
    load: async () => (await import("./key-list.js")).keyListCommand,
  },
  {
    name: "doctor",
    summary: "Show what this machine has and lacks, with the command that mends it",
    load: async () => (await import("./doctor.js")).doctorCommand,
  },
  {
    name: "completion",
    summary: "Print a completion script for bash, zsh or fish",
    load: async () => (await import("./completion.js")).completionCommandFor(COMMANDS),
  },
];
