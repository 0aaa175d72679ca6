import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../system/durable-file.js";
import { repositoryEnvironment } from "./environment.js";
import type { ObjectFormat, Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** Above all attributes that a version brings: its bytes are written as they are, whatever it says of filters and line ends. */
const NEUTRAL_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding\n";

/**
 * Writes the files of a tree into an empty folder, byte for byte, with executable bits and links; a submodule is an empty
 * folder. Nothing of the repository's configuration is read: see docs/adr/0005. `scratch` is a folder that the caller removes.
 */
export async function writeTree(
  repository: Repository,
  tree: string,
  folder: string,
  scratch: string,
  inherit: readonly number[] = [],
): Promise<void> {
  const shadow = await shadowRepository(repository, scratch, folder);
  await runGit(shadow, ["read-tree", tree], { inherit });
  await runGit(shadow, ["checkout-index", "--all"], { inherit });
}

/** A repository with no configuration, hooks or attributes of its own, that only borrows the other one's objects. */
async function shadowRepository(repository: Repository, scratch: string, workTree: string): Promise<Repository> {
  const gitDir = path.join(scratch, "git");
  await makeFolder(path.join(gitDir, "info"), 0o777);
  await mkdir(path.join(gitDir, "refs"));
  await writeFile(path.join(gitDir, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(path.join(gitDir, "info", "attributes"), NEUTRAL_ATTRIBUTES);
  await writeFile(path.join(gitDir, "config"), configOf(repository.objectFormat));
  const env: NodeJS.ProcessEnv = {
    ...repositoryEnvironment(withoutGitVariables(repository.env), { gitDir, workTree }),
    GIT_OBJECT_DIRECTORY: repository.env["GIT_OBJECT_DIRECTORY"] ?? path.join(repository.commonDir, "objects"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_INDEX_FILE: path.join(scratch, "index"),
  };
  // A hook's quarantine keeps what was pushed apart from what was there before.
  const alternates = repository.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"];
  if (alternates !== undefined) env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates;
  return { ...repository, gitDir, commonDir: gitDir, workTree, bare: false, env };
}

function configOf(format: ObjectFormat): string {
  const core = "[core]\n\tbare = false\n\tsymlinks = true\n\tfilemode = true\n\trepositoryformatversion = ";
  return format === "sha256" ? `${core}1\n[extensions]\n\tobjectformat = sha256\n` : `${core}0\n`;
}

function withoutGitVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
}
