import type { AgentConfig, ArtifactsConfig } from "./config.js";
import { CONFIG_FILE } from "./find-config.js";
import { globMatcher } from "./glob-matcher.js";

/** The kinds, in the order in which a file's is looked for; of none of them, it is an asset. */
const KINDS = ["state", "models", "prompts", "tools", "environment", "build", "data", "config", "code"] as const;

export type Component = (typeof KINDS)[number] | "assets";

/**
 * Gives the kind of each git path, by globs as in gitignore(5), case-sensitive. A path may hold any characters and be
 * percent-encoded where it is not UTF-8; none makes it throw.
 */
export function createClassifier(artifacts: ArtifactsConfig): (path: string) => Component {
  const kinds = KINDS.map((kind) => {
    const { include, exclude } = artifacts[kind];
    const globs = kind === "build" ? [...include, ...artifacts.build.outputs] : include;
    return { kind, included: globMatcher(globs), excluded: globMatcher(exclude) };
  });
  return (path) => {
    if (path === CONFIG_FILE) return "config";
    const found = kinds.find(({ included, excluded }) => included(path) && !excluded(path));
    return found?.kind ?? "assets";
  };
}

/** The lines of .gitignore for runtime state: what is captured by `create`, and what of that is not. */
export const stateIgnoreLines = ({ version_management }: AgentConfig): readonly string[] => {
  const { include, exclude } = version_management.artifacts.state;
  return [...include, ...exclude.map((glob) => `!${glob}`)];
};
