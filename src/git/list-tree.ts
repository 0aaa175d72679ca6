import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

export interface TreeListing {
  /** The path's bytes as latin1 text. */
  readonly path: string;
  readonly mode: string;
  readonly id: string;
}

/** Every file, link and submodule of a commit or tree, from one git process. */
export async function listTree(repository: Repository, treeish: string): Promise<TreeListing[]> {
  const out = await runGit(repository, ["ls-tree", "-r", "-z", "--full-tree", treeish]);
  const files: TreeListing[] = [];
  for (const line of out.toString("latin1").split("\0")) {
    if (line === "") continue;
    // <mode> SP <type> SP <id> TAB <path>
    const tab = line.indexOf("\t");
    const blank = line.indexOf(" ");
    files.push({
      path: line.slice(tab + 1),
      mode: line.slice(0, blank),
      id: line.slice(line.lastIndexOf(" ", tab) + 1, tab),
    });
  }
  return files;
}
