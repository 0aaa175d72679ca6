import { compareText } from "./compare-text.js";

/** A file of a commit: its path, git mode (e.g. `100644`) and blob id. */
export interface FileEntry {
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
}

export interface FileSide {
  mode: string;
  oid: string;
}

export interface FileChange {
  path: string;
  component: string;
  /** Missing for an added file. */
  from?: FileSide;
  /** Missing for a removed file. */
  to?: FileSide;
  /** Of an added file: the removed one that had the same content. It is under `removed` as well. */
  renamedFrom?: string;
}

export interface FileDiff {
  added: FileChange[];
  removed: FileChange[];
  modified: FileChange[];
}

/** Compares the files of two trees by path; a change of mode counts. All lists are sorted by path. */
export function diffFiles(
  before: readonly FileEntry[],
  after: readonly FileEntry[],
  componentOf: (path: string) => string,
): FileDiff {
  const old = new Map(before.map((entry) => [entry.path, entry]));
  const fresh = new Map(after.map((entry) => [entry.path, entry]));
  const diff: FileDiff = { added: [], removed: [], modified: [] };
  for (const [path, entry] of old) {
    const other = fresh.get(path);
    const change: FileChange = { path, component: componentOf(path), from: sideOf(entry) };
    if (!other) diff.removed.push(change);
    else if (other.oid !== entry.oid || other.mode !== entry.mode) diff.modified.push({ ...change, to: sideOf(other) });
  }
  for (const [path, entry] of fresh) {
    if (!old.has(path)) diff.added.push({ path, component: componentOf(path), to: sideOf(entry) });
  }
  for (const list of [diff.added, diff.removed, diff.modified]) list.sort((a, b) => compareText(a.path, b.path));
  tellRenames(diff);
  return diff;
}

const sideOf = ({ mode, oid }: FileEntry): FileSide => ({ mode, oid });

/** One removed file explains one added file; among equals those that keep their name go first. */
function tellRenames({ added, removed }: FileDiff) {
  const sources = new Map<string, FileChange[]>();
  for (const change of removed) {
    const oid = change.from?.oid ?? "";
    const known = sources.get(oid);
    if (known) known.push(change);
    else sources.set(oid, [change]);
  }
  const taken = new Set<string>();
  const pair = (change: FileChange, fits: (source: FileChange) => boolean) => {
    if (change.renamedFrom !== undefined) return;
    const source = sources
      .get(change.to?.oid ?? "")
      ?.find((candidate) => !taken.has(candidate.path) && fits(candidate));
    if (!source) return;
    taken.add(source.path);
    change.renamedFrom = source.path;
  };
  for (const change of added) pair(change, (source) => nameOf(source.path) === nameOf(change.path));
  for (const change of added) pair(change, () => true);
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
