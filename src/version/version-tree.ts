import type { ListedVersion } from "./list.js";

export interface TreeLine {
  /** Branch lines such as `│  └─ `, in front of the version. */
  readonly lead: string;
  readonly version: ListedVersion;
  /** The parent, where the line had to begin anew at the left; else null. */
  readonly after: string | null;
}

/** Deeper than this a line begins at the left again: a tree of ten thousand in a row fits on no screen. */
const DEEPEST = 12;

/**
 * Versions under their parents, in the order given. One whose parent is not among them stands under the nearest ancestor that
 * is, by a dotted line; `parents` knows the parents of versions that are not shown. One without any is a root.
 */
export function versionTree(
  versions: readonly ListedVersion[],
  parents: ReadonlyMap<string, string | null> = new Map(),
): TreeLine[] {
  const shown = new Set(versions.map(({ version }) => version));
  const ancestorOf = nearestShown(shown, parents);
  const children = new Map<string | null, ListedVersion[]>();
  for (const version of versions) {
    const parent = version.parent === null ? null : ancestorOf(version.parent, version.version);
    const siblings = children.get(parent);
    if (siblings) siblings.push(version);
    else children.set(parent, [version]);
  }
  const lines: TreeLine[] = [];
  const drawn = new Set<ListedVersion>();
  const roots = [...(children.get(null) ?? [])].map((version): Root => ({ version, after: null }));
  // Those that say to be each other's parents hang on no root.
  for (const root of [...roots, ...versions.map((version): Root => ({ version, after: null }))]) {
    // What lies too deep follows the tree that it belongs to.
    const queue = [root];
    for (const each of queue) if (!drawn.has(each.version)) queue.push(...drawTree(each, children, drawn, lines));
  }
  return lines;
}

interface Root {
  readonly version: ListedVersion;
  readonly after: string | null;
}

/** Adds the lines of one tree, and gives the roots of what lies too deep in it. */
function drawTree(
  root: Root,
  children: ReadonlyMap<string | null, readonly ListedVersion[]>,
  drawn: Set<ListedVersion>,
  lines: TreeLine[],
): Root[] {
  const later: Root[] = [];
  // A stack instead of recursion, so that no depth uses it up.
  const stack = [{ ...root, lead: "", indent: "", depth: 0 }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { lead, version, after, indent, depth } = item;
    if (drawn.has(version)) continue;
    drawn.add(version);
    lines.push({ lead, version, after });
    const below = children.get(version.version) ?? [];
    if (depth === DEEPEST) {
      later.push(...below.map((child) => ({ version: child, after: version.version })));
      continue;
    }
    const next = below.map((child, index) => {
      const last = index === below.length - 1;
      const line = child.parent === version.version ? "─" : "┄";
      return {
        version: child,
        lead: `${indent}${last ? "└" : "├"}${line} `,
        indent: `${indent}${last ? "   " : "│  "}`,
        depth: depth + 1,
        after: null,
      };
    });
    stack.push(...next.reverse());
  }
  return later;
}

/** The nearest of the shown versions from `start` upwards, but for `self`; each way up is gone once. */
function nearestShown(shown: ReadonlySet<string>, parents: ReadonlyMap<string, string | null>) {
  const known = new Map<string, string | null>();
  return (start: string, self: string): string | null => {
    const passed = new Set<string>();
    let at: string | null = start;
    // Parents are whatever a tag says: they may go round in a circle.
    while (at !== null && !shown.has(at) && !known.has(at) && !passed.has(at)) {
      passed.add(at);
      at = parents.get(at) ?? null;
    }
    const found = at === null || shown.has(at) ? at : (known.get(at) ?? null);
    for (const each of passed) known.set(each, found);
    return found === self ? null : found;
  };
}
