import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** The mode of what is not there. */
export const ABSENT = "000000";

/** One path that differs between two trees; mode `ABSENT` where it is not there. */
export interface TreeChange {
  /** The path's bytes, one character a byte (latin1), so that any name survives. */
  readonly path: string;
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldId: string;
  readonly newId: string;
}

/** Of a commit or tree by its whole id, which means the same for ever. */
const ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** What was compared last: the parts of an operation ask for the same two, one after the other. */
let last: { readonly key: string; readonly changes: Promise<readonly TreeChange[]> } | undefined;

/** Paths that differ between two tree-ish, renames not looked for. */
export function diffTrees(repository: Repository, from: string, to: string): Promise<readonly TreeChange[]> {
  if (!ID.test(from) || !ID.test(to)) return askGit(repository, from, to);
  const key = `${repository.commonDir} ${from} ${to}`;
  if (last?.key !== key) last = { key, changes: askGit(repository, from, to) };
  const { changes } = last;
  // A failure is not kept: what was missing may be fetched meanwhile.
  changes.catch(() => {
    if (last?.changes === changes) last = undefined;
  });
  return changes;
}

async function askGit(repository: Repository, from: string, to: string): Promise<readonly TreeChange[]> {
  const out = await runGit(repository, [
    "diff-tree",
    "-r",
    "-z",
    "--raw",
    "--no-renames",
    "--full-index",
    from,
    to,
    "--",
  ]);
  const fields = out.toString("latin1").split("\0");
  const changes: TreeChange[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [oldMode = "", newMode = "", oldId = "", newId = ""] = (fields[index] ?? "").slice(1).split(" ");
    changes.push({ path: fields[index + 1] ?? "", oldMode, newMode, oldId, newId });
  }
  return changes;
}
