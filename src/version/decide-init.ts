import { KaiError } from "../error.js";
import { listRefs } from "../git/refs.js";
import type { Repository } from "../git/repository.js";
import { LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findTrustRoot, type TrustRoot } from "../trust/trust-root.js";
import { findAgentRemote, findNews } from "./adopt-agent.js";

/**
 * What `init` has to do: take a log, or more of it, from a remote; pin the log that is here; nothing, since it is here and
 * pinned; or found one.
 */
export type InitWay =
  | {
      readonly kind: "fetch";
      readonly remote: string;
      readonly known: TrustRoot | undefined;
      readonly outcome: "adopted" | "updated";
    }
  | { readonly kind: "pin" }
  | { readonly kind: "present"; readonly root: TrustRoot }
  | { readonly kind: "found" };

export interface Asker {
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (message: string) => void;
}

/** Looks at what is here and what the remotes have, and changes nothing. E121 or E125 where nothing may be done. */
export async function decideInit(repository: Repository, asker: Asker, newRoot: boolean): Promise<InitWay> {
  const known = await findTrustRoot(kaiFolderOf(repository).trust);
  const hasLog = (await listRefs(repository, [LOG_REF])).length > 0;
  if (newRoot) {
    if (hasLog) throw logInTheWay();
    return { kind: "found" };
  }
  const remote = hasLog
    ? await findNews(repository, asker.env, { pinned: known !== undefined, progress: asker.progress })
    : await findAgentRemote(repository, asker.env);
  if (remote !== undefined) return { kind: "fetch", remote, known, outcome: hasLog && known ? "updated" : "adopted" };
  if (hasLog) return known ? { kind: "present", root: known } : { kind: "pin" };
  if (known) throw logGone();
  return { kind: "found" };
}

/** A log was here and was seen: another one is not founded in its place unasked. */
const logGone = (): KaiError =>
  new KaiError("E121", "The log that this clone has seen is gone, and no remote has it.", {
    hint: "Fetch it from a complete clone: `git fetch PATH refs/kai/log:refs/kai/log`. `--new-root` founds another one.",
  });

/** `--new-root` takes no log away that is here. */
const logInTheWay = (): KaiError =>
  new KaiError("E125", "A log is here already, and `--new-root` does not take it away.", {
    hint: "`git update-ref refs/kai/former-log refs/kai/log && git update-ref -d refs/kai/log` puts it aside; then run `git kai-version init --new-root` again.",
  });
