import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { TrustRoot } from "../trust/trust-root.js";

/** Refuses (E121) a log that lacks the newest entry that this clone has seen: it was rolled back. */
export function requireSeen(log: readonly Pick<LoggedEntry, "commit">[], root: Pick<TrustRoot, "seen">): void {
  if (log.some((entry) => entry.commit === root.seen)) return;
  throw new KaiError(
    "E121",
    `The log cannot be trusted: it was rolled back, and lacks the entry ${root.seen} that this clone has seen.`,
    {
      hint: "Nothing was changed. Fetch the whole log: `git fetch REMOTE refs/kai/log:refs/kai/log`",
    },
  );
}
