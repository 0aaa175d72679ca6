import type { ObjectReader } from "../../git/object-reader.js";
import { isFolder, readFolder } from "../../git/tree-folder.js";
import type { FoundChange } from "./found-changes.js";
import { bytesOf } from "./store-changes.js";

export interface SeenEntry {
  /** Bytes as latin1 text. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Where a link leads, as it says (latin1); undefined for what is none. */
  readonly target: (() => Promise<string>) | undefined;
}

/** What a folder (latin1; the top one is empty) of a tree holds; nothing where it is not there. */
export type FolderView = (folder: string) => Promise<readonly SeenEntry[]>;

/** Those of a commit or tree, of which only the folders on the way to the asked one are read, each once. */
export function foldersOf(reader: ObjectReader, treeish: string): FolderView {
  const root = reader.find(`${treeish}^{tree}`).then((found) => found?.id);
  const read = new Map<string, ReturnType<typeof readFolder>>();
  const idOf = async (folder: string): Promise<string | undefined> => {
    if (folder === "") return root;
    const slash = folder.lastIndexOf("/");
    const entry = (await entriesOf(folder.slice(0, Math.max(slash, 0)))).get(folder.slice(slash + 1));
    return isFolder(entry) ? entry?.id : undefined;
  };
  const entriesOf = async (folder: string): ReturnType<typeof readFolder> => {
    const id = await idOf(folder);
    if (id === undefined) return new Map();
    const entries = read.get(id) ?? readFolder(reader, id);
    read.set(id, entries);
    return entries;
  };
  return async (folder) =>
    [...(await entriesOf(folder))].map(([name, entry]) => ({
      name,
      isFolder: isFolder(entry),
      target:
        entry.mode === "120000" ? async () => (await reader.read(entry.id, "blob")).toString("latin1") : undefined,
    }));
}

/** Those of what a sandbox added and modified, which lies in a folder of its own. */
export function foundFolders(root: string, changes: readonly FoundChange[]): FolderView {
  const entries = new Map<string, Map<string, SeenEntry>>();
  for (const change of changes) {
    let target = change.mode === "120000" ? () => textOf(bytesOf(root, change)) : undefined;
    let isFolder = false;
    for (let rest = change.path; rest !== ""; isFolder = true) {
      const slash = rest.lastIndexOf("/");
      const [folder, name] = [rest.slice(0, Math.max(slash, 0)), rest.slice(slash + 1)];
      const within = entries.get(folder) ?? new Map<string, SeenEntry>();
      entries.set(folder, within);
      if (isFolder && within.has(name)) break;
      within.set(name, { name, isFolder, target });
      [rest, target] = [folder, undefined];
    }
  }
  return async (folder) => [...(entries.get(folder)?.values() ?? [])];
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read).toString("latin1");
}
