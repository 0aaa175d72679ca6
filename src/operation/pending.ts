import type { RefChange } from "../git/ref-transaction.js";
import type { Operation } from "./operation.js";

/** Below this lie the refs that keep an operation's objects from being collected while it runs. */
export const pendingUnder = (operation: string): string => `refs/kai/pending/${operation}/`;

/** One ref for each object that the operation will name, and one for its entry. */
export function pendingRefs(operation: Operation, entry: string): RefChange[] {
  const targets = new Set([entry]);
  for (const change of operation.changes) if (change.new !== null) targets.add(change.new);
  return [...targets].map((target, index) => ({
    ref: `${pendingUnder(operation.id)}${index}`,
    old: null,
    new: target,
  }));
}
