import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { KnownVersion } from "../version/history.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackRequest } from "./request.js";
import type { Ground } from "./survey.js";

type Asked = Pick<RollbackRequest, "force" | "type">;
type Settings = AgentConfig["rollback_system"];

/** Whether a rollback is refused that goes further back than `max_rollback_depth`. */
export const refusesDepth = ({ force, type }: Asked, { safety_checks: checks }: Settings): boolean =>
  checks && !force && type !== "emergency";

/** Refuses (E101) a target too far back; a plan says so as a risk. */
export function requireDepth(
  { depth, target }: Pick<Ground, "depth" | "target">,
  request: Asked & Pick<RollbackRequest, "dryRun">,
  settings: Settings,
): void {
  if (request.dryRun || !refusesDepth(request, settings) || depth <= settings.max_rollback_depth) return;
  throw new KaiError(
    "E101",
    `${target.name} lies ${depth} versions back, and max_rollback_depth is ${settings.max_rollback_depth}.`,
    { hint: "`--force` goes back to it all the same; `--dry-run` shows what that would do." },
  );
}

/** How many versions of ours lie between the two, the target counted: one back is 1. */
export function depthOf(
  { history }: WritingSession,
  from: KnownVersion | undefined,
  to: KnownVersion | undefined,
): number {
  const ours = history.versions.filter((each) => each.type !== "foreign" && (!each.withdrawn || each === to));
  if (from === undefined || to === undefined) return 0;
  const [here, there] = [ours.indexOf(from), ours.indexOf(to)];
  return here < 0 || there < 0 ? 0 : Math.max(0, here - there);
}
