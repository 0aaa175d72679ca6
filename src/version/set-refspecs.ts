import type { Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import { CURRENT_REF, LOG_REF, NOTES_REF } from "../operation/entry.js";

/**
 * What `git fetch` is to bring beside branches and tags, kept apart until `init` has verified it. The stars stand for
 * nothing: a refspec without one makes `git fetch` fail where the remote lacks the ref, as before the first version.
 */
const refspecsOf = (remote: string): string[] => [
  `+${CURRENT_REF}*:refs/kai/remotes/${remote}/current*`,
  `+${LOG_REF}:refs/kai/remotes/${remote}/log`,
  `+${NOTES_REF}*:refs/kai/remotes/${remote}/notes*`,
  `+refs/kai/state/*:refs/kai/remotes/${remote}/state/*`,
];

/**
 * Adds the fetch refspecs of every remote that lack them; gives the remotes changed. Only for remotes that have the log;
 * a mirror's fetch everything as it is.
 */
export async function setRefspecs(repository: Repository, remotes: readonly string[]): Promise<string[]> {
  const changed: string[] = [];
  for (const remote of remotes) {
    const key = `remote.${remote}.fetch`;
    const { stdout } = await tryGit(repository, ["config", "--null", "--get-all", key]);
    const present = new Set(stdout.toString().split("\0"));
    if (present.has("+refs/*:refs/*")) continue;
    const missing = refspecsOf(remote).filter((refspec) => !present.has(refspec));
    for (const refspec of missing) await runGit(repository, ["config", "--add", key, refspec]);
    if (missing.length > 0) changed.push(remote);
  }
  return changed;
}
