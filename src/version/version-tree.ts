import type { ListedVersion } from "./list.js";

export interface TreeLine {
  /** Branch lines such as `│ └─ `, in front of the version. */
  readonly lead: string;
  readonly version: ListedVersion;
}

/** Versions under their parents, in the order given; one whose parent is not among them is a root. */
export function versionTree(versions: readonly ListedVersion[]): TreeLine[] {
  const known = new Set(versions.map((version) => version.version));
  const children = new Map<string | null, ListedVersion[]>();
  for (const version of versions) {
    const parent = version.parent !== null && known.has(version.parent) ? version.parent : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(version);
    else children.set(parent, [version]);
  }
  const lines: TreeLine[] = [];
  // A stack instead of recursion: a line of ten thousand versions is ten thousand deep.
  const stack = (children.get(null) ?? []).map((version) => ({ version, lead: "", indent: "" })).reverse();
  while (stack.length > 0) {
    const item = stack.pop();
    if (!item) break;
    lines.push({ lead: item.lead, version: item.version });
    const below = children.get(item.version.version) ?? [];
    // A single child goes straight on, as in `git log --graph`; several branch off.
    const next = below.map((version, index) => {
      if (below.length === 1) return { version, lead: item.indent, indent: item.indent };
      const last = index === below.length - 1;
      return {
        version,
        lead: `${item.indent}${last ? "└─ " : "├─ "}`,
        indent: `${item.indent}${last ? "   " : "│  "}`,
      };
    });
    stack.push(...next.reverse());
  }
  return lines;
}
