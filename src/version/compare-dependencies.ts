import {
  type DependencyDiff,
  type DependencyProblem,
  diffDependencies,
  isLockFile,
  type LockFileText,
  readDependencies,
} from "../change/dependencies.js";
import type { FileEntry } from "../change/file-diff.js";
import type { BlobTexts } from "./compare-blobs.js";

export const LARGEST_LOCK_FILE = 16 * 1024 * 1024;

export interface ComparedDependencies extends DependencyDiff {
  /** What was not read of the lock files, and on which side. */
  readonly problems: readonly (DependencyProblem & { readonly side: "from" | "to" })[];
}

/** What lock files refer to: package.json says what is direct, and requirements files include each other. */
const REFERRED_TO = /(?:^|\/)(?:package\.json|(?:constraints|requirements)[^/]*\.(?:txt|in))$/i;

/** The files that say on which packages a version depends; none where they are the same on both sides. */
export function dependencyFiles(
  before: readonly FileEntry[],
  after: readonly FileEntry[],
): { before: FileEntry[]; after: FileEntry[] } {
  const [from, to] = [before, after].map((files) =>
    files.filter(({ path, mode }) => mode.startsWith("100") && (isLockFile(path) || REFERRED_TO.test(path))),
  );
  const listed = (files: readonly FileEntry[] = []) => files.map(({ path, oid }) => `${oid} ${path}`).join("\n");
  return listed(from) === listed(to) ? { before: [], after: [] } : { before: from ?? [], after: to ?? [] };
}

/** Compares the packages that the lock files of both sides settle on. */
export function compareDependencies(
  files: { before: readonly FileEntry[]; after: readonly FileEntry[] },
  texts: BlobTexts,
): ComparedDependencies {
  const [before, after] = [readSide(files.before, texts), readSide(files.after, texts)];
  return {
    ...diffDependencies(before.dependencies, after.dependencies),
    problems: [
      ...before.problems.map((problem) => ({ side: "from" as const, ...problem })),
      ...after.problems.map((problem) => ({ side: "to" as const, ...problem })),
    ],
  };
}

function readSide(files: readonly FileEntry[], texts: BlobTexts) {
  const readable: LockFileText[] = [];
  const tooLarge: DependencyProblem[] = [];
  for (const { path, oid } of files) {
    const text = texts.get(oid);
    if (text === undefined) tooLarge.push({ path, line: null, message: "It is larger than 16 MiB and was not read." });
    else readable.push({ path, text });
  }
  const { dependencies, problems } = readDependencies(readable);
  return { dependencies, problems: [...tooLarge, ...problems] };
}
