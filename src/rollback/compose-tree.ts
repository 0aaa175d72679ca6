import path from "node:path";
import { type Component, createClassifier } from "../agent/component.js";
import type { AgentConfig } from "../agent/config.js";
import { globMatcher } from "../agent/glob-matcher.js";
import { KaiError } from "../error.js";
import { changeTree, treePathOf } from "../git/change-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { diffTrees } from "../git/tree-diff.js";
import { readablePath } from "../system/path-bytes.js";

/** Which of the files that differ go back; paths as latin1. */
export type Selection = (path: string) => boolean;

/** Files of these components, as the configuration of now or that of the target has them. */
export function selectComponents(
  components: readonly Component[],
  configs: readonly (AgentConfig | null)[],
): Selection {
  const classifiers = configs.flatMap((config) =>
    config === null ? [] : [createClassifier(config.version_management.artifacts)],
  );
  return (name) => classifiers.some((componentOf) => components.includes(componentOf(readablePath(name))));
}

/**
 * These files, what lies in these folders, and what these globs match, from the top of the repository on. E122 for what lies
 * outside, or is empty as an unset variable is: that would be everything.
 */
export function selectPaths(paths: readonly string[]): Selection {
  const plain = paths.map((each) => path.posix.normalize(each).replace(/\/$/, ""));
  for (const [number, each] of paths.entries()) {
    if (each === "" || each.startsWith("/") || /^\.\.(?:\/|$)/.test(plain[number] ?? "")) throw notInside(each);
  }
  const matches = globMatcher(plain.filter((each) => /[*?[]/.test(each)).map((each) => `/${each}`));
  return (name) => {
    const readable = readablePath(name);
    return (
      plain.some((each) => each === "." || readable === each || readable.startsWith(`${each}/`)) || matches(readable)
    );
  };
}

const notInside = (given: string): KaiError =>
  new KaiError("E122", given === "" ? "An empty path was given." : `${given} is no path inside the repository.`, {
    hint: "Name files, folders or globs from the top of the repository on, such as prompts/system.md or `tools/*.json`.",
  });

/**
 * The tree that `head` becomes when what is selected goes back to `target`, the object written; undefined where nothing of it
 * differs.
 */
export async function composeTree(
  repository: Repository,
  { head, target, selects }: { head: string; target: string; selects: Selection },
  { reader, inherit }: { reader: ObjectReader; inherit: readonly number[] },
): Promise<string | undefined> {
  const changes = (await diffTrees(repository, head, target)).filter(({ path: name }) => selects(name));
  if (changes.length === 0) return undefined;
  return changeTree(repository, head, changes.map(treePathOf), { reader, inherit });
}
