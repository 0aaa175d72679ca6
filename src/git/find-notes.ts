import type { TreeEntry } from "./object.js";

/**
 * Ids of the blobs that are a commit's note below a notes tree, whose entries `readTree` gives: one, or none. git fans notes
 * out into folders by as many bytes of the id as it likes, so `rest` is what of the id is not used up yet.
 */
export async function findNotes(
  readTree: (id: string) => Promise<readonly TreeEntry[]>,
  tree: string,
  rest: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const { name, mode, id } of await readTree(tree)) {
    const text = name.toString("latin1");
    if (text === rest) found.push(id);
    else if (mode === "40000" && text === rest.slice(0, 2))
      found.push(...(await findNotes(readTree, id, rest.slice(2))));
  }
  return found;
}
