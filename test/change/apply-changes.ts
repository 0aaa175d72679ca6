import type { ConfigChange } from "../../src/change/structural-diff.js";

type Step = string | number;
interface Item {
  id: unknown;
  value: unknown;
}

/** Carries a diff of JSON values out, as the docs of `ConfigChange.key` say that it is to be read. */
export function applyChanges(before: unknown, changes: readonly ConfigChange[]): unknown {
  return apply(
    before,
    changes.map((change) => ({ change, steps: stepsOf(change.key) })),
  );
}

interface Located {
  change: ConfigChange;
  steps: Step[];
}

function apply(before: unknown, changes: Located[]): unknown {
  if (changes.length === 0) return before;
  const whole = changes.find(({ change, steps }) => steps.length === 0 && !change.reordered);
  if (whole) return whole.change.after;
  if (Array.isArray(before)) return applyToList(before, changes);
  const result = new Map(Object.entries((before ?? {}) as object));
  for (const [step, inner] of byFirstStep(changes)) {
    const [only] = inner;
    if (only?.steps.length === 0 && only.change.kind === "removed") result.delete(String(step));
    else result.set(String(step), apply(result.get(String(step)), inner));
  }
  return Object.fromEntries(result);
}

function applyToList(before: unknown[], changes: Located[]): unknown[] {
  const ofItem = (kind: string) => changes.filter(({ change, steps }) => steps.length === 1 && change.kind === kind);
  const removed = new Set(ofItem("removed").map(({ steps }) => steps[0]));
  let items: Item[] = before
    .map((value) => ({ id: (value as { name?: unknown } | null)?.name, value }))
    .filter((_, index) => !removed.has(index));
  const order = changes.find(({ change, steps }) => change.reordered && steps.length === 0);
  if (order) {
    items = (order.change.after as unknown[]).map(
      (id) => items.find((item) => item.id === id) ?? { id, value: undefined },
    );
  }
  const added = ofItem("added").sort((a, b) => Number(a.steps[0]) - Number(b.steps[0]));
  for (const { change, steps } of added) items.splice(Number(steps[0]), 0, { id: undefined, value: change.after });
  const values = items.map(({ value }) => value);
  const within = changes.filter(
    ({ change, steps }) => steps.length > 1 || (steps.length === 1 && change.kind === "changed"),
  );
  for (const [step, inner] of byFirstStep(within)) values[Number(step)] = apply(values[Number(step)], inner);
  return values;
}

function byFirstStep(changes: Located[]): Map<Step, Located[]> {
  const groups = new Map<Step, Located[]>();
  for (const { change, steps } of changes) {
    const [first, ...rest] = steps;
    if (first !== undefined) groups.set(first, [...(groups.get(first) ?? []), { change, steps: rest }]);
  }
  return groups;
}

function stepsOf(key: string): Step[] {
  return [...key.matchAll(/\[(\d+)\]|"(?:[^"\\]|\\.)*"|[^.["]+/g)].map(([text, index]) => {
    if (index !== undefined) return Number(index);
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  });
}
