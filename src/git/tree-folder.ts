import { KaiError } from "../error.js";
import { parseTree, type TreeEntry } from "./object.js";
import type { ObjectReader } from "./object-reader.js";

const LACKING = { hint: "`git fsck` shows what is missing or damaged; fetch it from a complete clone." };

/** The mode of a folder in a tree. */
export const FOLDER = "40000";

export const isFolder = (entry: TreeEntry | undefined): boolean => entry?.mode === FOLDER;

/** What one folder of a tree holds, by name (bytes as latin1 text). E116 where that is no tree. */
export async function readFolder(reader: ObjectReader, id: string): Promise<Map<string, TreeEntry>> {
  const entries = parseTree(await reader.read(id, "tree"), id.length / 2);
  if (entries === undefined) throw new KaiError("E116", `The tree ${id} cannot be read.`, LACKING);
  return new Map(
    entries.map((entry) => [entry.name.toString("latin1"), { ...entry, mode: canonicalMode(entry.mode) }]),
  );
}

/** The id of the tree that a commit or a tree is of. E116 where it is not here. */
export async function readTreeId(reader: ObjectReader, treeish: string): Promise<string> {
  const root = await reader.find(`${treeish}^{tree}`);
  if (root?.type !== "tree") throw new KaiError("E116", `The repository lacks the tree of ${treeish}.`, LACKING);
  return root.id;
}

/** As git's index has it: old tools wrote 040000 and 100664. */
function canonicalMode(mode: string): string {
  const stripped = mode.replace(/^0+/, "");
  if (!stripped.startsWith("100")) return stripped;
  return (Number.parseInt(stripped, 8) & 0o100) === 0 ? "100644" : "100755";
}
