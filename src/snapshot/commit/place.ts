import { KaiError } from "../../error.js";
import { changeTree, treePathOf } from "../../git/change-tree.js";
import { readTreeChanges } from "../../git/read-tree-changes.js";
import type { TreeChange } from "../../git/tree-diff.js";
import { readablePath } from "../../system/path-bytes.js";
import { liveStateOf } from "../../version/live-state.js";
import { requireMovableBranch } from "../../version/movable-branch.js";
import { requireCommit } from "../../version/work-tree-status.js";
import type { WritingSession } from "../../version/writing-session.js";
import type { RefusedPath } from "../execution.js";
import type { KnownSnapshot } from "../snapshot-store.js";
import { asRefused, repositoriesAmong } from "./leave-out.js";
import { mergeOnto } from "./merge-onto.js";

/** Where the commit goes. */
export interface Place {
  readonly branch: string;
  /** What the branch is at now; null where it is new. */
  readonly old: string | null;
  readonly parent: string;
  /** What it brings there. */
  readonly changes: readonly TreeChange[];
  /** The tree of the commit; undefined: the snapshot's own. */
  readonly tree?: string;
  /** The tree that the working tree has now; undefined where it stays as it is. */
  readonly workTree?: string;
  /** Paths (latin1) that are not brought: together with what is there they would make a folder a repository. */
  readonly repositories?: ReadonlySet<string>;
}

export interface PlaceOnTop extends Place {
  readonly old: string;
  readonly tree: string;
  readonly workTree: string;
}

/** On a branch of its own. E109 where that has it already, E125 where a branch is in the way. */
export async function ownBranch(
  { reader }: WritingSession,
  { record }: KnownSnapshot,
  { tree, changes }: { readonly tree: string; readonly changes: readonly TreeChange[] },
): Promise<Place> {
  const name = `kai/snapshot/${record.id}`;
  const branch = `refs/heads/${name}`;
  const there = await reader.find(`${branch}^{tree}`);
  if (there?.id === tree) throw hasItAlready(`branch ${name}`, record.id);
  if (there) throw isThere(name);
  for (const above of ["kai", "kai/snapshot"]) {
    if (await reader.find(`refs/heads/${above}`)) throw inTheWay(above, record.id);
  }
  return { branch, old: null, parent: record.commit, changes };
}

/** On top of HEAD, path by path, as `asked` by that option: E102 where files are dirty, E128 where both changed one. */
export async function onTop(
  session: WritingSession,
  { record }: KnownSnapshot,
  theirs: readonly TreeChange[],
  asked: "apply" | "version",
): Promise<PlaceOnTop> {
  const { agent, reader, lock } = session;
  const { repository, config } = agent;
  const status = await session.status;
  const head = requireCommit(status);
  const branch = await requireMovableBranch(repository, status);
  const isLiveState = liveStateOf(config);
  const dirty = status.dirty.filter((name) => !isLiveState(name));
  if (dirty.length > 0) throw notCommitted(dirty, asked);
  const headTree = (await reader.find(`${head}^{tree}`))?.id ?? "";
  const merged = mergeOnto(await readTreeChanges(reader, record.commit, headTree), theirs);
  if (merged.conflicts.length > 0) throw bothChanged(record.id, merged.conflicts);
  if (merged.changes.length === 0) throw hasItAlready("branch", record.id);
  const repositories = await repositoriesAmong(reader, headTree, merged.changes);
  const changes = merged.changes.filter(({ path }) => !repositories.has(path));
  if (changes.length === 0) throw nothingChanged(record.id, asRefused(repositories), []);
  const paths = changes.map(treePathOf);
  const together = await changeTree(repository, headTree, paths, { reader, inherit: [lock.descriptor] });
  return { branch, old: head, parent: head, changes, tree: together, workTree: headTree, repositories };
}

const hasItAlready = (branch: string, id: string): KaiError =>
  new KaiError("E109", `The ${branch} has what the snapshot ${id} changed already.`, {
    hint: `\`git log\` shows since when; \`git kai-version snapshot diff ${id}\` shows what that is.`,
  });

const isThere = (branch: string): KaiError =>
  new KaiError("E125", `The branch ${branch} is there, with what was committed of the snapshot before.`, {
    hint: `Nothing was changed. \`git branch -m ${branch} OTHER\` keeps it by another name, \`git branch -D ${branch}\` takes it away.`,
  });

const inTheWay = (branch: string, id: string): KaiError =>
  new KaiError("E125", `The branch ${branch} is in the way of kai/snapshot/${id}: git keeps none below another one.`, {
    hint: `Nothing was changed. \`git branch -m ${branch} OTHER\` renames it; or \`--apply\` commits onto the branch that is checked out.`,
  });

export function nothingChanged(id: string, refused: readonly RefusedPath[], ignored: readonly string[]): KaiError {
  const left = [
    ...(refused.length === 0 ? [] : [`${refused.length} refused`]),
    ...(ignored.length === 0 ? [] : [`${ignored.length} ignored by the version, which \`--include-ignored\` takes`]),
  ];
  const look = `\`git kai-version snapshot diff ${id}\``;
  return new KaiError("E109", `The snapshot ${id} changed nothing that could be committed.`, {
    hint: left.length === 0 ? `${look} shows what differs.` : `${look} says why: ${left.join(", ")}.`,
    data: { refused },
  });
}

function bothChanged(id: string, conflicts: readonly string[]): KaiError {
  const shown = conflicts.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E128",
    `What the branch and the snapshot changed does not go together: ${shown}${conflicts.length > 5 ? ", …" : ""}.`,
    {
      hint: `Nothing was changed. \`git kai-version snapshot commit ${id}\` makes a branch of it, which git merges as any other.`,
      data: { conflicts: conflicts.map(readablePath) },
    },
  );
}

function notCommitted(paths: readonly string[], asked: string): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError("E102", `Files were changed and not committed: ${shown}${paths.length > 5 ? ", …" : ""}.`, {
    hint: `Commit them with \`git commit\`, or leave out \`--${asked}\`: a branch of its own is made then.`,
    data: { paths: paths.map(readablePath) },
  });
}
