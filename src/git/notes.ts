import { formatSignatureLine, type Identity } from "./object.js";
import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { runGit, tryGit } from "./run-git.js";

export interface NoteCommit {
  /** Where the new notes commit is kept; refs/notes/* itself is moved later. */
  readonly ref: string;
  /** The notes commit that it follows; null for the first. */
  readonly parent: string | null;
  readonly who: Identity;
  readonly at: Date;
  readonly message: string;
  /** Whole new text of the note of each commit. */
  readonly notes: ReadonlyMap<string, string>;
}

/**
 * Makes a commit of a notes tree on `ref` and gives its id. `git notes add` would move the notes ref at once, and loses
 * what others add at the same time; fast-import fans the paths out as git wants them and moves a ref of our own.
 */
export async function commitNotes(
  repository: Repository,
  commit: NoteCommit,
  inherit: readonly number[] = [],
): Promise<string> {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const stream = [
    `commit ${commit.ref}\nmark :1\ncommitter ${formatSignatureLine(commit.who, commit.at)}\n${data(commit.message)}`,
    commit.parent === null ? "" : `from ${commit.parent}\n`,
    ...[...commit.notes].map(([object, text]) => `N inline ${object}\n${data(text)}`),
    "\nget-mark :1\ndone\n",
  ];
  const answer = await runGit(repository, ["fast-import", "--quiet", "--done", "--force"], {
    input: stream.join(""),
    config: SYNCED_REFS,
    inherit,
  });
  return answer.toString().trim();
}

/** The object id of the note on `object` under `ref`; undefined where there is none. */
export async function findNote(repository: Repository, ref: string, object: string): Promise<string | undefined> {
  const result = await tryGit(repository, ["notes", `--ref=${ref}`, "list", object]);
  return result.exitCode === 0 ? result.stdout.toString().trim() : undefined;
}
