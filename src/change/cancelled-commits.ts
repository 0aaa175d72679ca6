import { type CommitText, parseCommit, revertedCommits } from "./conventional-commit.js";

export interface Cancellations {
  /** Each commit that a later one took back -> the commit that did so. */
  readonly reverted: ReadonlyMap<string, string>;
  /** Reverts of which nothing is left to tell: all that they take back is in the range. */
  readonly spent: ReadonlySet<string>;
}

/**
 * Which of `commits`, given in any order, cancel out. A commit is cancelled when a commit that still stands reverts it,
 * so a revert that is reverted gives its target back. A breaking revert, and a fix or feature that also reverts, stay.
 */
export function cancelledCommits(commits: readonly CommitText[]): Cancellations {
  const targets = resolveTargets(commits);
  const reverters = new Map<string, string[]>();
  for (const [oid, { inRange }] of targets) {
    for (const target of inRange) {
      const known = reverters.get(target);
      if (known) known.push(oid);
      else reverters.set(target, [oid]);
    }
  }
  const reverted = standingReverters(reverters);
  const spent = new Set<string>();
  for (const [oid, { whole }] of targets) {
    if (whole && !reverted.has(oid)) spent.add(oid);
  }
  return { reverted, spent };
}

interface Targets {
  inRange: string[];
  /** It only reverts, and only commits of the range. */
  whole: boolean;
}

function resolveTargets(commits: readonly CommitText[]): Map<string, Targets> {
  const oids = commits.map(({ oid }) => oid).sort();
  const targets = new Map<string, Targets>();
  for (const commit of commits) {
    const ids = revertedCommits(commit.body);
    if (ids.length === 0) continue;
    const found = ids.map((id) => completeId(oids, id)).filter((id) => id !== undefined && id !== commit.oid);
    const inRange = [...new Set(found)].filter((id) => id !== undefined);
    const parsed = parseCommit(commit);
    const onlyReverts = parsed === undefined || (parsed.isRevert && !(parsed.type === "revert" && parsed.breaking));
    targets.set(commit.oid, { inRange, whole: onlyReverts && found.length === ids.length });
  }
  return targets;
}

/** The one id of the sorted `oids` that begins with `prefix`; undefined for none or several. */
function completeId(oids: readonly string[], prefix: string): string | undefined {
  let low = 0;
  let high = oids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((oids[middle] ?? "") < prefix) low = middle + 1;
    else high = middle;
  }
  const found = oids[low];
  if (!found?.startsWith(prefix)) return undefined;
  return oids[low + 1]?.startsWith(prefix) ? undefined : found;
}

/** Walks without recursion: a chain of reverts may be as long as the range. */
function standingReverters(reverters: ReadonlyMap<string, readonly string[]>): Map<string, string> {
  const reverted = new Map<string, string>();
  const decided = new Set<string>();
  const entered = new Set<string>();
  const stack = [...reverters.keys()];
  for (let oid = stack.at(-1); oid !== undefined; oid = stack.at(-1)) {
    const by = reverters.get(oid) ?? [];
    // Abbreviated ids could be forged into a ring; whoever is entered already then counts as decided.
    const open = decided.has(oid) ? [] : by.filter((id) => !entered.has(id));
    entered.add(oid);
    if (open.length > 0) {
      for (const id of open) stack.push(id);
      continue;
    }
    stack.pop();
    if (decided.has(oid)) continue;
    decided.add(oid);
    const standing = by.find((id) => !reverted.has(id));
    if (standing !== undefined) reverted.set(oid, standing);
  }
  return reverted;
}
