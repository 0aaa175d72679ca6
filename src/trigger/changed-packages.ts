import { listTree } from "../git/list-tree.js";
import type { Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import { readTexts } from "../version/compare-blobs.js";
import {
  type ComparedDependencies,
  compareDependencies,
  dependencyFiles,
  LARGEST_LOCK_FILE,
} from "../version/compare-dependencies.js";
import type { WritingSession } from "../version/writing-session.js";

/** Which packages the lock files of `head` settle on otherwise than those of `base`, a phrase each. */
export async function changedPackages(
  { agent, reader }: Pick<WritingSession, "agent" | "reader">,
  base: string,
  head: string,
): Promise<string[]> {
  const { repository } = agent;
  const [before, after] = await Promise.all([filesOf(repository, base), filesOf(repository, head)]);
  const locks = dependencyFiles(before, after);
  const wanted = [...locks.before, ...locks.after].map(({ oid }) => [oid, LARGEST_LOCK_FILE] as const);
  const texts = await readTexts(repository, reader, new Map(wanted));
  return describeChanges(compareDependencies(locks, texts));
}

async function filesOf(repository: Repository, commit: string) {
  const files = await listTree(repository, commit);
  return files.map(({ path, mode, id }) => ({ path: readablePath(path), mode, oid: id }));
}

const describeChanges = ({ changed, added, removed }: ComparedDependencies): string[] => [
  ...changed.map(({ name, from, to }) =>
    from === to ? `${name} ${to} has other content` : `${name} ${from} -> ${to}`,
  ),
  ...added.map(({ name, version }) => `${name} ${version} is new`),
  ...removed.map(({ name, version }) => `${name} ${version} is gone`),
];
