/** A step from one sequence to another; indexes are from 0. */
export type Edit =
  | { kind: "keep"; before: number; after: number }
  | { kind: "remove"; before: number }
  | { kind: "add"; after: number };

/** With more differences than this the middle is told as replaced whole, which bounds time and memory. */
const MOST_DIFFERENCES = 2_000;

/** The shortest way from `before` to `after` (Myers, "An O(ND) Difference Algorithm", 1986), ends trimmed first. */
export function editScript<T>(before: readonly T[], after: readonly T[]): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;

  const edits: Edit[] = [];
  for (let index = 0; index < head; index += 1) edits.push({ kind: "keep", before: index, after: index });
  const middle = middleEdits(before.slice(head, before.length - tail), after.slice(head, after.length - tail));
  for (const edit of middle) {
    if (edit.kind === "keep") edits.push({ kind: "keep", before: edit.before + head, after: edit.after + head });
    else if (edit.kind === "remove") edits.push({ kind: "remove", before: edit.before + head });
    else edits.push({ kind: "add", after: edit.after + head });
  }
  for (let left = tail; left > 0; left -= 1) {
    edits.push({ kind: "keep", before: before.length - left, after: after.length - left });
  }
  return edits;
}

function middleEdits<T>(before: readonly T[], after: readonly T[]): Edit[] {
  const trace = before.length === 0 || after.length === 0 ? undefined : furthestReaches(before, after);
  if (trace) return backtrack(before.length, after.length, trace);
  const removed: Edit[] = before.map((_, index) => ({ kind: "remove", before: index }));
  return [...removed, ...after.map((_, index): Edit => ({ kind: "add", after: index }))];
}

/** `trace[d][k + d]` is how far in `before` diagonal k (before - after) is reached with d differences. */
function furthestReaches<T>(before: readonly T[], after: readonly T[]): Int32Array[] | undefined {
  const trace: Int32Array[] = [];
  for (let d = 0; d <= Math.min(before.length + after.length, MOST_DIFFERENCES); d += 1) {
    const reach = new Int32Array(2 * d + 1);
    for (let k = -d; k <= d; k += 2) {
      let x = d === 0 ? 0 : stepTo(trace[d - 1], d, k).x;
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x += 1;
      reach[k + d] = x;
      if (x >= before.length && x - k >= after.length) {
        trace.push(reach);
        return trace;
      }
    }
    trace.push(reach);
  }
  return undefined;
}

/** Where the d-th difference leads on diagonal k, and the diagonal that it comes from. */
function stepTo(previous: Int32Array | undefined, d: number, k: number): { x: number; from: number } {
  const reached = (diagonal: number): number =>
    Math.abs(diagonal) > d - 1 ? -1 : (previous?.[diagonal + d - 1] ?? -1);
  const down = reached(k + 1);
  const right = reached(k - 1);
  return k === -d || (k !== d && right < down) ? { x: down, from: k + 1 } : { x: right + 1, from: k - 1 };
}

function backtrack(beforeLength: number, afterLength: number, trace: readonly Int32Array[]): Edit[] {
  const edits: Edit[] = [];
  let x = beforeLength;
  let y = afterLength;
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const k = x - y;
    const step = d === 0 ? { x: 0, from: 0 } : stepTo(trace[d - 1], d, k);
    for (; x > step.x; x -= 1, y -= 1) edits.push({ kind: "keep", before: x - 1, after: y - 1 });
    if (d === 0) break;
    edits.push(step.from === k + 1 ? { kind: "add", after: y - 1 } : { kind: "remove", before: x - 1 });
    x = step.from === k + 1 ? x : x - 1;
    y = x - step.from;
  }
  return edits.reverse();
}
