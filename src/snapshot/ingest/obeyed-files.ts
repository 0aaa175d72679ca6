import { foldedName } from "./unsafe-name.js";

/** Read by git in any folder as soon as it is checked out. */
const BY_GIT: readonly string[] = [".gitmodules", ".gitattributes"];

/** Folders that tools make `core.hooksPath` of a clone, by custom. Folded. */
const OF_HOOKS: readonly string[] = [".githooks", ".husky"];

/**
 * Files and folders at the top of a repository that hooks obey as they are installed once in a clone: those of pre-commit and prek, Overcommit,
 * and Lefthook, by the names in their documentation. Folded.
 */
const BY_HOOKS: ReadonlySet<string> = new Set([
  ".git-hooks",
  ".lefthook",
  ".lefthook-local",
  ".local-overcommit.yml",
  ".overcommit.yml",
  ".pre-commit-config.yaml",
  ".pre-commit-config.yml",
  "prek.toml",
]);
const OF_LEFTHOOK = /^(?:\.config\/|\.)?lefthook(?:-local)?\.(?:ya?ml|toml|jsonc?)$/;

/** Files and folders at the top of a repository that a forge, or what builds for one, runs as soon as it is pushed. Folded. */
const BY_FORGES: ReadonlySet<string> = new Set([
  ".appveyor.yml",
  ".azure-pipelines",
  ".build.yml",
  ".buildkite",
  ".builds",
  ".circleci",
  ".cirrus.star",
  ".cirrus.yml",
  ".drone.jsonnet",
  ".drone.star",
  ".drone.yml",
  ".forgejo",
  ".gitea",
  ".github",
  ".gitlab-ci.yml",
  ".semaphore",
  ".travis.yml",
  ".woodpecker",
  ".woodpecker.yaml",
  ".woodpecker.yml",
  "appveyor.yml",
  "azure-pipelines.yaml",
  "azure-pipelines.yml",
  "bitbucket-pipelines.yml",
  "buildspec.yml",
  "cloudbuild.yaml",
  "jenkinsfile",
]);

/** Why a path (bytes as latin1 text) steers what is outside of the agent, whatever its commands are; undefined where it does not. */
export function whyObeyed(path: string): string | undefined {
  const steps = path.split("/").map(foldedName);
  if (BY_GIT.includes(steps.at(-1) ?? "")) return "git reads it as instructions";
  if (BY_FORGES.has(steps[0] ?? "")) return "a forge runs what it says";
  if (steps.some((step) => OF_HOOKS.includes(step))) return "git runs its hooks in many clones";
  if (BY_HOOKS.has(steps[0] ?? "") || OF_LEFTHOOK.test(steps.join("/"))) return "hooks of many clones run what it says";
  return undefined;
}
