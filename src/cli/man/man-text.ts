/** A term of a list in the man page, and what it means; commands in backquotes. */
export interface Item {
  readonly term: string;
  readonly text: string;
}

/** What no command's own description says. */
export const DESCRIPTION: readonly string[] = [
  "An agent is a git repository with a `kai.yaml`. A version of it is a signed tag with a record, kept in a git note that the tag's signature covers. The version in force is named by the tag `current`. Going back to a version is one new signed commit with that version's files; no branch is ever rewritten.",
  "Every operation is one entry of a signed log, `refs/kai/log`, and happens whole or not at all, also when it is interrupted: `git kai-version recover`, or the next command that writes, brings it to its end.",
  "`kai` is the same program with the agent named behind the command: a folder of `$KAI_AGENTS`, or a path.",
  "What the signatures prove, and what not, is told in docs/security-model.md.",
];

export const CONFIGURATION: readonly Item[] = [
  {
    term: "kai.yaml",
    text: "In the root of the agent's repository. Only `agent_id` must be there. `git kai-version config show --all` shows every key, its value and where that comes from; docs/configuration.md explains them.",
  },
];

export const ENVIRONMENT: readonly Item[] = [
  {
    term: "KAI_HOME",
    text: "Where your keys are. Default: `$XDG_DATA_HOME/git-kai-version`, or `~/.local/share/git-kai-version`.",
  },
  { term: "KAI_AGENTS", text: "The folder whose folders `kai` knows by name. Default: `~/agents`." },
  {
    term: "KAI_SIGNING_KEY",
    text: "An armored secret key to sign with, for CI; it comes before the keys of `$KAI_HOME`. No program that is started sees it.",
  },
  { term: "KAI_KEY_PASSPHRASE", text: "The passphrase of the key to sign with, where nobody can be asked." },
  { term: "NO_COLOR", text: "Print without colours; `FORCE_COLOR` prints them in a pipe too." },
  { term: "KAI_DEBUG", text: "Print the stack of an unexpected error (E170)." },
];

export const FILES: readonly Item[] = [
  { term: "refs/tags/v1.2.3", text: "A version: a signed tag, by `tag_format`. Never moved, deleted or reused." },
  { term: "refs/tags/current", text: "A signed tag on the commit of the version in force." },
  { term: "refs/kai/log", text: "The signed log of all operations, with the policy and its keys." },
  { term: "refs/notes/kai", text: "The records of versions: `git log --notes=kai` shows them." },
  { term: "refs/kai/state/v1.2.3", text: "The runtime state captured with a version." },
  { term: "refs/kai/backup/*", text: "What a rollback with `--force` would have overwritten. Stays in this clone." },
  { term: "refs/kai/conflict/*", text: "What recovery found instead of what it expected. Stays in this clone." },
  {
    term: ".git/kai/",
    text: "Local to one clone: the lock, the journal of an operation under way, caches, and `trust.json`, the pinned beginning of the log.",
  },
  {
    term: "$KAI_HOME/keys, $KAI_HOME/known",
    text: "Your keys, readable by you alone, and public keys that you imported.",
  },
];

export const EXIT_STATUS: readonly Item[] = [
  { term: "0", text: "Done." },
  { term: "1", text: "Refused, or a check failed." },
  { term: "2", text: "Wrong usage." },
  { term: "3", text: "Something is missing on this machine: `git kai-version doctor` says what." },
  { term: "4", text: "Another operation is under way, or recovery needs somebody to look." },
  { term: "70", text: "A defect in git kai-version." },
];
