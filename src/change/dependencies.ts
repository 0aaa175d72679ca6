import { compareText } from "./compare-text.js";
import { UnreadableConfig } from "./config-tree.js";
import type { Dependencies, Dependency, LockFileText } from "./dependency.js";
import { readPackageLock } from "./package-lock.js";
import { readPipfileLock } from "./pipfile-lock.js";
import { readRequirements } from "./requirements.js";

export type { Dependencies, DependencyProblem, LockFileText } from "./dependency.js";
export { type DependencyDiff, diffDependencies } from "./dependency-diff.js";

/** True for the files that `readDependencies` reads; a caller need not fetch the others, but for package.json. */
export const isLockFile = (path: string): boolean => readerOf(path) !== undefined;

/**
 * The packages that the lock files among `files` settle on, sorted, each version once however often it is there. Files
 * of other kinds are passed over. What cannot be read is told as a problem; nothing is thrown.
 */
export function readDependencies(files: readonly LockFileText[]): Dependencies {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const problems: Dependencies["problems"] = [];
  const found: Dependency[] = [];
  const queue = files.filter(({ path }) => isLockFile(path));
  const queued = new Set(queue.map(({ path }) => path));
  for (const file of queue) {
    const read = readGuarded(file, byPath);
    for (const dependency of read.dependencies) found.push(dependency);
    for (const problem of read.problems) problems.push(problem);
    for (const { target, line } of read.includes) {
      const path = resolvePath(file.path, target);
      const included = path === undefined ? undefined : byPath.get(path);
      if (!included)
        problems.push({ path: file.path, line, message: `${target} is included, but is not part of the agent.` });
      else if (!queued.has(included.path)) {
        queued.add(included.path);
        queue.push(included);
      }
    }
  }
  return { dependencies: withoutRepeats(found), problems };
}

type Read = Dependencies & { includes: { target: string; line: number }[] };
type Reader = (file: LockFileText, files: ReadonlyMap<string, LockFileText>) => Read;

function readGuarded(file: LockFileText, files: ReadonlyMap<string, LockFileText>): Read {
  // Only requirements files are included by others, whatever their names.
  const reader = readerOf(file.path) ?? readRequirements;
  try {
    return reader(file, files);
  } catch (error) {
    if (!(error instanceof UnreadableConfig)) throw error;
    const problem = { path: file.path, line: error.line, message: `It cannot be read: ${error.message}.` };
    return { dependencies: [], problems: [problem], includes: [] };
  }
}

function readerOf(path: string): Reader | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (name === "package-lock.json" || name === "npm-shrinkwrap.json") {
    return (file, files) => ({
      ...readPackageLock(file, files.get(file.path.replace(name, "package.json"))),
      includes: [],
    });
  }
  if (name === "Pipfile.lock") return (file) => ({ ...readPipfileLock(file), includes: [] });
  const isRequirements = /^requirements.*\.txt$/i.test(name) || /(?:^|\/)requirements\/[^/]+\.txt$/i.test(path);
  return isRequirements ? readRequirements : undefined;
}

/** `a/b.txt` and `../c.txt` -> `c.txt`; undefined outside the repository. */
function resolvePath(from: string, target: string): string | undefined {
  if (target.startsWith("/")) return undefined;
  const parts = from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === ".." && parts.pop() === undefined) return undefined;
    if (part !== ".." && part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

/** Of the same package URL the first stays, and is direct if any is. */
function withoutRepeats(dependencies: readonly Dependency[]): Dependency[] {
  const unique = new Map<string, Dependency>();
  for (const dependency of dependencies) {
    const known = unique.get(dependency.purl);
    if (known) known.direct ||= dependency.direct;
    else unique.set(dependency.purl, { ...dependency });
  }
  return [...unique.values()].sort((a, b) => compareText(a.name, b.name) || compareText(a.purl, b.purl));
}
