import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import { logStanding } from "./promote.js";
import { type Promotion, promotionOf, type Standing } from "./standing.js";
import { describeUndo } from "./undo-subject.js";
import type { WritingSession } from "./writing-session.js";

/** The standing that a version has again. */
export interface UndonePromotion {
  readonly tag: string;
  /** Null where nobody had said anything of it before. */
  readonly standing: Standing | null;
  /** Null in a dry run. */
  readonly operation: string | null;
}

/**
 * Takes back what was said of a version, or that this was taken back: what was said before holds again, by an entry of the same
 * kind, since only a releaser says it. Undefined where the operation said nothing of one. E125 where something was said since,
 * or its tag is not here.
 */
export async function undoPromotion(
  session: WritingSession,
  entry: LoggedEntry,
  { dryRun }: { readonly dryRun: boolean },
): Promise<UndonePromotion | undefined> {
  const { history } = session;
  const promotion = promotionOf(entry);
  if (promotion === undefined) return undefined;
  const { tag } = promotion;
  const newest = history.findEntry((each) => isSame(promotionOf(each), promotion));
  if (newest !== undefined && newest.id !== entry.id) {
    throw new KaiError("E125", `Something else was said of ${tag} since: ${newest.subject}.`, {
      hint: `Undo that first: \`git kai-version undo ${newest.id}\`; or say anew where it stands: \`git kai-version promote\`.`,
    });
  }
  const version = history.versions.find((each) => each.tag === tag && each.tagId === promotion.object);
  if (version === undefined) {
    throw new KaiError("E125", `The tag ${tag} of which that was said is not here.`, {
      hint: "`git kai-version verify --all` shows what became of it; `git kai-version recover` makes one again that is gone.",
    });
  }
  const standing = saidBefore(session, entry, promotion);
  if (dryRun) return { tag, standing, operation: null };
  await logStanding(session, version, { subject: describeUndo(entry), said: standing, more: { undoes: entry.id } });
  return { tag, standing, operation: session.id };
}

/** What was said before an entry of the same tag. */
function saidBefore({ history }: WritingSession, { id }: LoggedEntry, promotion: Promotion): Standing | null {
  let passed = false;
  const before = history.findEntry((each) => {
    if (each.id === id) passed = true;
    else return passed && isSame(promotionOf(each), promotion);
    return false;
  });
  return (before && promotionOf(before)?.standing) ?? null;
}

const isSame = (said: Promotion | undefined, { tag, object }: Promotion): boolean =>
  said?.tag === tag && said.object === object;
