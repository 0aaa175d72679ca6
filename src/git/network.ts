import { KaiError } from "../error.js";
import { withoutHooks } from "./environment.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** What the library asks about before it takes it from the environment. */
const USERS_OWN = {
  allowUnsafeAlias: true,
  allowUnsafeAskPass: true,
  allowUnsafeCommandBinaries: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeGitProxy: true,
  allowUnsafeHooksPath: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
};

/** The remotes of a repository, `origin` first. */
export async function listRemotes(repository: Repository): Promise<string[]> {
  const remotes = (await runGit(repository, ["remote"]))
    .toString()
    .split("\n")
    .filter((name) => name !== "");
  return remotes.sort((a, b) => Number(b === "origin") - Number(a === "origin"));
}

/** The refs that a remote has under `patterns`, by name with the object id of each; E116 where it cannot be reached. */
export async function listRemoteRefs(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  remote: string,
  patterns: readonly string[],
): Promise<Map<string, string>> {
  const git = await openNetwork(repository, env);
  const out = await git.listRemote(["--refs", remote, ...patterns]).catch(failedWith(remote));
  const lines = out.split("\n").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const tab = line.indexOf("\t");
      return [line.slice(tab + 1), line.slice(0, tab)];
    }),
  );
}

/** Fetches by explicit refspecs and nothing else. */
export async function fetchRefs(
  repository: Repository,
  env: NodeJS.ProcessEnv,
  remote: string,
  refspecs: readonly string[],
): Promise<void> {
  const git = await openNetwork(repository, env);
  await git.raw(["fetch", "--no-tags", "--no-write-fetch-head", remote, ...refspecs]).catch(failedWith(remote));
}

/**
 * The *network* way of calling git: the user's own configuration, credentials and askpass programs, but no hooks. The
 * library guards against settings that come from strangers; these are the environment that the user started us in.
 */
async function openNetwork(repository: Repository, env: NodeJS.ProcessEnv) {
  const { simpleGit } = await import("simple-git");
  const kept = Object.entries(withoutHooks(env)).filter(
    ([name, value]) => value !== undefined && !name.startsWith("KAI_"),
  );
  return simpleGit({
    baseDir: repository.workTree ?? repository.gitDir,
    allowEnvironment: kept.map(([name]) => name),
    unsafe: USERS_OWN,
  }).env(Object.fromEntries(kept));
}

const failedWith =
  (remote: string) =>
  (cause: Error): never => {
    throw new KaiError("E116", `The remote ${remote} could not be read: ${whyUnread(cause.message)}`, {
      hint: `\`git ls-remote ${remote}\` shows what git says of it.`,
      cause,
    });
  };

/** The line in which git, or the program that it reached the remote by, says why: advice for all cases follows it. */
export function whyUnread(words: string): string {
  const lines = words
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  const advice = lines.findIndex((line) => line.startsWith("fatal: Could not read from remote repository"));
  const told = lines[advice - 1] ?? lines.findLast((line) => line.startsWith("fatal: ")) ?? lines.at(-1) ?? "";
  return told.replace(/^fatal: /, "");
}
