import { KaiError } from "../error.js";
import { parseSignedCommit } from "../git/commit-object.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { ObjectFormat } from "../git/repository.js";
import { parseSaveMessage, type SaveMessage, savesRef } from "./saves.js";

/** A save that a snapshot is to begin with. */
export interface SaveBegunWith extends SaveMessage {
  readonly commit: string;
  /** The commit that its snapshot was of. */
  readonly of: string;
}

/**
 * The save that a commit is; undefined where it is none. E125 where it only says so: then the files are anybody's, and so is what the
 * message says they are of.
 */
export async function findSaveBegunWith(
  reader: ObjectReader,
  format: ObjectFormat,
  commit: string,
): Promise<SaveBegunWith | undefined> {
  const asked = await findSaveAt(reader, format, commit);
  if (asked === undefined) return undefined;
  const tip = await reader.find(savesRef(asked.id));
  const saves = new Set<string>();
  const roots = new Set<string>();
  const waiting = tip === undefined ? [] : [tip.id];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (saves.has(id)) continue;
    const save = await findSaveAt(reader, format, id);
    // Below a save that is not of this snapshot any message may stand.
    if (save?.id !== asked.id || save.tag !== asked.tag) roots.add(id);
    else {
      saves.add(id);
      waiting.push(...save.parents);
    }
  }
  const [of, other] = roots;
  if (!saves.has(commit) || of === undefined || other !== undefined) throw isNotKept(asked, commit, tip !== undefined);
  return { ...asked, commit, of };
}

async function findSaveAt(
  reader: ObjectReader,
  format: ObjectFormat,
  id: string,
): Promise<(SaveMessage & { readonly parents: readonly string[] }) | undefined> {
  const object = await reader.find(id);
  const commit = object?.type === "commit" ? parseSignedCommit(object.content, format) : undefined;
  const said = commit && parseSaveMessage(commit.message);
  return said && { ...said, parents: commit.parents };
}

function isNotKept({ id }: SaveMessage, commit: string, hasOthers: boolean): KaiError {
  const ref = savesRef(id);
  return new KaiError(
    "E125",
    `The commit ${commit} says that it is a save of the snapshot ${id}, and ${ref} does not have it.`,
    {
      hint: hasOthers
        ? `\`git kai-version snapshot create ${ref}\` begins with what that has.`
        : `Where you know that it was one, \`git update-ref ${ref} ${commit} ""\` makes it one again.`,
    },
  );
}

/** Its kai.yaml is what decides, and that of the save is the sandbox's. */
export const versionIsNotHere = ({ id, tag, of, commit }: SaveBegunWith): KaiError =>
  new KaiError(
    "E125",
    `${savesRef(id)} is a save of ${tag} at ${of.slice(0, 10)}, and that version is not here: its kai.yaml would say how these files are isolated.`,
    {
      hint: `\`git fetch origin tag ${tag}\` brings it where it is gone; \`git kai-version list\` shows the versions there are, and \`git diff ${of.slice(0, 10)} ${commit.slice(0, 10)}\` what was saved.`,
    },
  );
