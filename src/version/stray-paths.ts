import type { TreeFile } from "./manifest.js";

/**
 * Paths (latin1) at which a tree is as none of `sources` is: another file there, another mode, or none where all of them have
 * one. Of a tree that has none, every path of every version is such a one, and without sources every path of its own.
 */
export function strayPaths(tree: readonly TreeFile[], sources: readonly (readonly TreeFile[])[]): string[] {
  const here = filesOf(tree);
  const there = sources.map(filesOf);
  const paths = new Set([here, ...there].flatMap((files) => [...files.keys()]));
  return [...paths].filter((path) => there.every((files) => files.get(path) !== here.get(path))).sort();
}

const filesOf = (files: readonly TreeFile[]): ReadonlyMap<string, string> =>
  new Map(files.map(({ path, mode, id }) => [path, `${mode} ${id}`]));
