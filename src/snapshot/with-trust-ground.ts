import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog } from "../trust/trusted-log.js";
import type { TrustGround } from "../version/command-trust.js";
import type { AgentHistory } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";

/** Why nobody is trusted where there is no log. */
export const NO_LOG = "this clone has no log that says whom to trust";

/** Does something with all that says whose kai.yaml is trusted, the log verified; undefined where this clone has none. */
export async function withTrustGround<T>(
  repository: Repository,
  caller: Pick<Caller, "env">,
  { agent, history }: Pick<AgentHistory, "agent" | "history">,
  work: (ground: TrustGround | undefined) => Promise<T>,
): Promise<T> {
  const root = await findTrustRoot(kaiFolderOf(repository).trust);
  const reader = new ObjectReader(repository);
  try {
    const log = root && (await readTrustedLog(repository, reader, root));
    return await work(root && log && { root, log, agent, reader, history, caller });
  } finally {
    reader.close();
  }
}
