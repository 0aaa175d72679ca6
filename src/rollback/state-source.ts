import { KaiError } from "../error.js";
import type { ChosenMigration } from "./choose-migration.js";
import type { LackingState } from "./lacking-state.js";
import type { StateSource } from "./plan.js";
import { hasStep, type RollbackPolicy } from "./policy.js";
import type { RollbackRequest } from "./request.js";
import type { Ground } from "./survey.js";

/** Where the state comes from that the agent has afterwards. E109 where nothing else goes back and the policy leaves it. */
export function stateSource(
  ground: Ground,
  { keepState, type }: RollbackRequest,
  policy: RollbackPolicy,
  { command, forward }: ChosenMigration,
  lacking: LackingState | null,
): StateSource {
  const live = (why: string): StateSource => ({ kind: "live", why });
  if (!ground.withState) return live("no state is asked for, or was replaced");
  if (ground.stateAlone && !hasStep(policy, "restore_data")) {
    throw new KaiError("E109", `The policy ${policy.name} has no restore_data: nothing would go back.`, {
      hint: "`--policy NAME` takes another one.",
    });
  }
  if (!hasStep(policy, "restore_data")) return live(`the policy ${policy.name} has no restore_data`);
  const { capture, name } = ground.target;
  if (ground.takesBack && !capture) return live("what is taken back left the live state as it was");
  if (capture && !keepState) return { kind: "capture", ref: capture.ref, digest: capture.digest };
  if (command !== null && type !== "selective") return { kind: "migrated", run: command.run, forward };
  return live(
    keepState ? "the live state stays, as was asked" : (lacking?.why ?? `no state was captured with ${name}`),
  );
}
