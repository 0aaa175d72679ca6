import { readPlainRef } from "../git/plain-refs.js";
import type { Repository } from "../git/repository.js";
import { gitFailure, tryGit } from "../git/run-git.js";

/** What a ref names; null where it is not there. E116 or E118 where git cannot tell, which is not the same. */
export async function readRef(repository: Repository, ref: string): Promise<string | null> {
  const plain = readPlainRef(repository, ref);
  if (plain !== undefined) return plain;
  const result = await tryGit(repository, ["rev-parse", "--verify", "--quiet", ref]);
  if (result.exitCode === 0) return result.stdout.toString().trim();
  if (result.exitCode === 1) return null;
  throw gitFailure(["rev-parse"], result);
}
