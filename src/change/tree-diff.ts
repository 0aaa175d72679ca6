import { type ConfigChange, treeChange } from "./config-change.js";
import { childPath, itemPath } from "./config-path.js";
import { type ConfigNode, type ListNode, type MapNode, TreeIdentity } from "./config-tree.js";
import { editScript } from "./edit-script.js";

/** What identifies an object in a list, most telling first. */
const IDENTITY_KEYS = ["name", "id", "key"] as const;

/** The changes that lead from one tree to another; the order of keys does not count, the order of lists does. */
export function diffTrees(before: ConfigNode, after: ConfigNode): ConfigChange[] {
  const differ = new TreeDiffer();
  differ.diff("", before, after);
  return differ.changes;
}

class TreeDiffer {
  readonly changes: ConfigChange[] = [];
  readonly #identity = new TreeIdentity();

  diff(path: string, before: ConfigNode, after: ConfigNode) {
    if (this.#identity.of(before) === this.#identity.of(after)) return;
    if (before.type === after.type && before.kind === "map" && after.kind === "map") {
      this.#diffMaps(path, before, after);
    } else if (before.type === after.type && before.kind === "list" && after.kind === "list") {
      this.#diffLists(path, before, after);
    } else {
      this.changes.push(treeChange(path, before, after));
    }
  }

  #diffMaps(path: string, before: MapNode, after: MapNode) {
    for (const [segment, { value }] of before.entries) {
      const other = after.entries.get(segment)?.value;
      if (other) this.diff(childPath(path, segment), value, other);
      else this.changes.push(treeChange(childPath(path, segment), value, undefined));
    }
    for (const [segment, { value }] of after.entries) {
      if (!before.entries.has(segment)) this.changes.push(treeChange(childPath(path, segment), undefined, value));
    }
  }

  #diffLists(path: string, before: ListNode, after: ListNode) {
    const key = identityKey(before, after);
    if (key === undefined) this.#diffByPosition(path, before, after);
    else this.#diffByIdentity(path, before, after, key);
  }

  #diffByIdentity(path: string, before: ListNode, after: ListNode, key: string) {
    const old = new Map(before.items.map((item) => [identityOf(item, key), item]));
    const fresh = new Map(after.items.map((item) => [identityOf(item, key), item]));
    const kept = [...old.keys()].filter((id) => fresh.has(id));
    const wanted = [...fresh.keys()].filter((id) => old.has(id));
    if (kept.some((id, index) => id !== wanted[index])) {
      const line = { before: before.line, after: after.line };
      const order = { before: kept.map(identityValue), after: wanted.map(identityValue) };
      this.changes.push({ kind: "changed", key: path, ...order, line, reordered: true });
    }
    for (const [index, id] of [...old.keys()].entries()) {
      if (!fresh.has(id)) this.#change(itemPath(path, index), old.get(id), undefined);
    }
    for (const [index, id] of [...fresh.keys()].entries())
      this.#change(itemPath(path, index), old.get(id), fresh.get(id));
  }

  #diffByPosition(path: string, before: ListNode, after: ListNode) {
    const numbers = (list: ListNode) => list.items.map((item) => this.#identity.of(item));
    let removed: number[] = [];
    let added: number[] = [];
    const tell = () => {
      const pairs = Math.min(removed.length, added.length);
      for (const index of removed.slice(pairs)) this.#change(itemPath(path, index), before.items[index], undefined);
      for (const [place, index] of added.entries()) {
        const from = place < pairs ? before.items[removed[place] ?? -1] : undefined;
        this.#change(itemPath(path, index), from, after.items[index]);
      }
      removed = [];
      added = [];
    };
    for (const edit of editScript(numbers(before), numbers(after))) {
      if (edit.kind === "remove") removed.push(edit.before);
      else if (edit.kind === "add") added.push(edit.after);
      else tell();
    }
    tell();
  }

  #change(path: string, before: ConfigNode | undefined, after: ConfigNode | undefined) {
    if (before && after) this.diff(path, before, after);
    else this.changes.push(treeChange(path, before, after));
  }
}

/** The key that every item of both lists has, with a value of its own in each list. */
function identityKey(before: ListNode, after: ListNode): string | undefined {
  return IDENTITY_KEYS.find((key) =>
    [before, after].every(({ items }) => {
      const ids = items.map((item) => identityOf(item, key));
      return items.length > 0 && !ids.includes(undefined) && new Set(ids).size === ids.length;
    }),
  );
}

/** As JSON, so that the name 1 differs from the name "1". */
function identityOf(item: ConfigNode, key: string): string | undefined {
  const value = item.kind === "map" ? item.entries.get(key)?.value : undefined;
  const identifies = value?.kind === "scalar" && (value.type === "string" || value.type === "number");
  return identifies ? JSON.stringify(value.value) : undefined;
}

const identityValue = (id: string | undefined): unknown => (id === undefined ? null : JSON.parse(id));
