import { findNotes } from "./find-notes.js";
import { parseTree } from "./object.js";
import type { ObjectReader } from "./object-reader.js";
import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";
import { formatSignatureLine, type Identity } from "./signature-line.js";

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

/** A notes ref and what it holds for one commit. */
export interface FoundNote {
  /** The notes commit; null where there is none yet. */
  readonly notes: string | null;
  /** Empty where the commit has no note. */
  readonly text: string;
}

/** The note on a commit, by a reader that is open already. E116 where it, or a folder on the way to it, is not here. */
export async function readNote(reader: ObjectReader, ref: string, commit: string): Promise<FoundNote> {
  const notes = (await reader.find(ref))?.id ?? null;
  if (notes === null) return { notes, text: "" };
  const tree = (await reader.find(`${notes}^{tree}`))?.id ?? notes;
  const readTree = async (id: string) => parseTree(await reader.read(id, "tree"), notes.length / 2) ?? [];
  const blobs = await findNotes(readTree, tree, commit);
  const texts = await Promise.all(blobs.map((blob) => reader.read(blob, "blob")));
  return { notes, text: texts.map(String).join("\n") };
}

/** The text of a note with lines added to it: each on a line of its own, whoever wrote the ones before. */
export const noteWith = (before: string, lines: string): string =>
  before === "" || before.endsWith("\n") ? before + lines : `${before}\n${lines}`;
