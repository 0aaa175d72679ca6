import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import { openRepository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { Policy } from "../trust/policy.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog } from "../trust/trusted-log.js";

/** The policy of the agent around `cwd`, by its verified log; undefined where there is no agent, or its log is not to be trusted. */
export async function findPolicyAround(cwd: string, env: NodeJS.ProcessEnv): Promise<Policy | undefined> {
  try {
    const repository = await openRepository(cwd, env);
    const root = await findTrustRoot(kaiFolderOf(repository).trust);
    if (root === undefined) return undefined;
    const reader = new ObjectReader(repository);
    try {
      return (await readTrustedLog(repository, reader, root)).policy;
    } finally {
      reader.close();
    }
  } catch (cause) {
    if (cause instanceof KaiError) return undefined;
    throw cause;
  }
}
