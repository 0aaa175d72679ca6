import path from "node:path";
import { runProcess } from "../system/process.js";
import { searchingEnvironment } from "./environment.js";

/** The folder that git did not take for a repository because it has no `.git`, from what it says under `searchingEnvironment`. */
export const findBareFolder = (stderr: string): string | undefined =>
  /cannot use bare repository '(?<folder>[\s\S]+)' \(safe\.bareRepository/.exec(stderr)?.groups?.["folder"];

/** What is below a `.git` cannot have come with a commit. */
export const isBelowGit = (folder: string): boolean => folder.split("/").includes(".git");

/**
 * Whether such a folder is among the files of another repository: then it came with a commit, and its configuration, which names
 * programs, is a stranger's.
 */
export async function isEmbedded(folder: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  for (let inner: string | undefined = folder; inner !== undefined; ) {
    if (isBelowGit(inner)) return false;
    const { exitCode, stdout, stderr } = await runProcess({
      file: "git",
      args: ["ls-files", "--", path.basename(inner)],
      cwd: path.dirname(inner),
      env: searchingEnvironment(env),
    });
    if (exitCode === 0) return stdout.length > 0;
    const said = stderr.toString();
    if (!/cannot use bare repository|not a git repository/.test(said)) return true;
    inner = findBareFolder(said);
  }
  return false;
}
