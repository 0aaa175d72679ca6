import { KaiError } from "../error.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Ground } from "./survey.js";

/**
 * Whether what comes into force never was before and has not passed the tests that are asked for: going back is not refused for
 * that, and the plan says it. Of a part that goes back nobody has tested what comes out, which its user knows.
 */
export async function isUntested(session: WritingSession, { target, toTree, takesBack }: Ground): Promise<boolean> {
  if (takesBack || toTree !== target.tree) return false;
  // Few have the rule.
  const { whyNotTested } = await import("../snapshot/gate/require-tested.js");
  const candidate = { name: target.name, commit: target.commit, testAs: target.name, isNew: false };
  const isShort = await whyNotTested(session, candidate).then(
    (why) => why !== null,
    (cause: unknown) => {
      // A rule that cannot be judged holds no rollback up.
      if (cause instanceof KaiError) return true;
      throw cause;
    },
  );
  const tag = target.version?.tagId;
  return isShort && session.history.findEntry(({ current }) => current.after?.tag === tag) === undefined;
}
