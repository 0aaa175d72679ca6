import { KaiError } from "../error.js";
import { parseCapture } from "../state/capture-manifest.js";
import { listMissing } from "../state/state-store.js";
import { stateHistoryOf } from "../version/state-history.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackTarget } from "./find-target.js";
import { hasStep, type RollbackPolicy } from "./policy.js";
import type { RollbackRequest } from "./request.js";
import type { Ground } from "./survey.js";

/** That state was captured with the target and is not here. */
export interface LackingState {
  readonly why: string;
  /** Whether the rollback is refused for it: what is here of it is not whole. Without any, the live state stays. */
  readonly refuses: boolean;
}

/** What is lacking of the state that goes back; null where nothing is, none was captured, or none goes back. */
export async function findLackingState(
  { agent, reader, history }: WritingSession,
  { target, withState }: Ground,
  { keepState }: RollbackRequest,
  policy: RollbackPolicy,
): Promise<LackingState | null> {
  if (!withState || keepState || !hasStep(policy, "restore_data")) return null;
  const { version, name, capture } = target;
  if (capture !== undefined) {
    const described = await reader.find(`${capture.ref}:capture.json`);
    const manifest = described && parseCapture(described.content, capture.digest);
    const missing = manifest ? listMissing(agent.repository, manifest).map(({ path }) => path) : [];
    if (missing.length === 0) return null;
    return { why: `not on this machine of the state of ${version?.tag ?? name}: ${missing.join(", ")}`, refuses: true };
  }
  if (!version || version.state === null) return null;
  const gone = stateHistoryOf(history.log).forgotten.has(version.tag) ? "was forgotten" : "is not in this clone";
  return { why: `the state that was captured with ${version.tag} ${gone}`, refuses: false };
}

/** Refuses (E101, E122) to take back state that there is not: a version of nothing new would come of it. */
export function requireState({ capture, version, name }: RollbackTarget, { keepState }: RollbackRequest): void {
  if (keepState) {
    throw new KaiError("E122", "--component state takes the state back, and --keep-state leaves it.", {
      hint: "Give one of the two.",
    });
  }
  if (capture !== undefined) return;
  throw new KaiError("E101", `No state is here that was captured with ${version?.tag ?? name}.`, {
    hint: "`git kai-version state list` shows the versions whose state is here.",
  });
}
