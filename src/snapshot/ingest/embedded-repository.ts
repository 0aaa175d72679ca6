import type { TreeEntry } from "../../git/object.js";
import type { ObjectReader } from "../../git/object-reader.js";
import { isFolder, readFolder, readTreeId } from "../../git/tree-folder.js";
import type { FoundChanges } from "./found-changes.js";
import { foldedName } from "./unsafe-name.js";

/** Why a path is refused that is found here. */
export const MAKES_REPOSITORY = "makes its folder a repository";

/** By what git knows a repository (`is_git_directory`), and what it obeys in one; `file`: only where it is no folder. */
const PARTS: ReadonlyMap<string, "file" | "any"> = new Map([
  ["head", "file"],
  ["commondir", "file"],
  ["objects", "any"],
  ["refs", "any"],
  ["config", "file"],
  ["config.worktree", "file"],
  ["hooks", "any"],
]);

/**
 * Of paths (latin1) that are added to `tree` or modified in it, those that belong to a folder which git would then take for a
 * repository, `.git` or not, and whose configuration it would obey: on any file system, so case is ignored. What is taken away
 * beside them lets none of them off. Only folders above such names are read.
 */
export async function findRepositoryParts(
  reader: ObjectReader,
  tree: string,
  paths: readonly string[],
): Promise<ReadonlySet<string>> {
  const fold = remembered(foldedName);
  const partsByFolder = new Map<string, Set<string>>();
  for (const path of paths) {
    for (const { folder, part } of partsOf(path, fold)) {
      partsByFolder.set(folder, (partsByFolder.get(folder) ?? new Set()).add(part));
    }
  }
  if (partsByFolder.size === 0) return new Set();
  const before = new FoldedTree(reader, await readTreeId(reader, tree), fold);
  const repositories = new Set<string>();
  for (const [folder, parts] of partsByFolder) {
    if (isRepository(new Set([...parts, ...(await before.partsIn(folder))]))) repositories.add(folder);
  }
  return new Set(paths.filter((path) => partsOf(path, fold).some(({ folder }) => repositories.has(folder))));
}

/** What a sandbox changed of `tree` without those, which join what is refused. */
export async function refuseRepositories<T extends FoundChanges>(
  found: T,
  reader: ObjectReader,
  tree: string,
): Promise<T> {
  const written = found.changes.filter(({ mode }) => mode !== null).map(({ path }) => path);
  const parts = await findRepositoryParts(reader, tree, written);
  if (parts.size === 0) return found;
  const changes = found.changes.filter(({ path }) => !parts.has(path));
  return { ...found, changes, refused: new Map([...found.refused, ...[...parts].map(asRefused)]) };
}

const asRefused = (path: string): [string, string] => [path, MAKES_REPOSITORY];

/** git follows `commondir` to objects and refs that lie elsewhere, and asks of all but HEAD only whether something is there. */
const isRepository = (parts: ReadonlySet<string>): boolean =>
  parts.has("head") && (parts.has("commondir") || (parts.has("objects") && parts.has("refs")));

const isPart = (name: string, asFile: boolean): boolean => {
  const kind = PARTS.get(name);
  return kind === "any" || (kind === "file" && asFile);
};

type Fold = (name: string) => string;

/** No name has it, not even a folded one. */
const BETWEEN = "\0";

/** Each part of a repository that a path is, or lies in, with the folder that would be one: folded names. */
function partsOf(path: string, fold: Fold): { folder: string; part: string }[] {
  const steps = path.split("/").map(fold);
  return steps.flatMap((part, index) =>
    isPart(part, index === steps.length - 1) ? [{ folder: steps.slice(0, index).join(BETWEEN), part }] : [],
  );
}

function remembered(fold: Fold): Fold {
  const known = new Map<string, string>();
  return (name) => {
    const folded = known.get(name) ?? fold(name);
    known.set(name, folded);
    return folded;
  };
}

/** A tree as a file system has it that takes names for the same which fold to the same. */
class FoldedTree {
  readonly #reader: ObjectReader;
  readonly #root: string;
  readonly #fold: Fold;
  readonly #read = new Map<string, ReadonlyMap<string, readonly TreeEntry[]>>();

  constructor(reader: ObjectReader, root: string, fold: Fold) {
    this.#reader = reader;
    this.#root = root;
    this.#fold = fold;
  }

  async partsIn(folder: string): Promise<string[]> {
    let trees = [this.#root];
    for (const step of folder === "" ? [] : folder.split(BETWEEN)) {
      const found = await this.#entriesOf(trees);
      trees = found.flatMap((entries) => (entries.get(step) ?? []).filter(isFolder).map(({ id }) => id));
    }
    const parts = [...PARTS.keys()];
    return (await this.#entriesOf(trees)).flatMap((entries) =>
      parts.filter((part) => entries.get(part)?.some((entry) => isPart(part, !isFolder(entry)))),
    );
  }

  async #entriesOf(trees: readonly string[]): Promise<ReadonlyMap<string, readonly TreeEntry[]>[]> {
    const all: ReadonlyMap<string, readonly TreeEntry[]>[] = [];
    for (const tree of trees) all.push(this.#read.get(tree) ?? (await this.#index(tree)));
    return all;
  }

  async #index(tree: string): Promise<ReadonlyMap<string, readonly TreeEntry[]>> {
    const index = new Map<string, TreeEntry[]>();
    for (const [name, entry] of await readFolder(this.#reader, tree)) {
      const folded = this.#fold(name);
      index.set(folded, [...(index.get(folded) ?? []), entry]);
    }
    this.#read.set(tree, index);
    return index;
  }
}
