import type { AgentConfig } from "../agent/config.js";
import { isoSeconds } from "../operation/build-entry.js";
import type { TriggerInForce } from "./trigger-in-force.js";

/** An occasion that is looked at from time to time; `before-operation` comes by itself. */
export type Trigger = "dependency" | "schedule";

/** What was found, before anything is decided. */
export interface TriggerFacts {
  /** Why nothing of what is committed has to be versioned; undefined where something has. */
  readonly nothingNew: string | undefined;
  /** The newest version, or what the log began with; what came before its time is over. */
  readonly since: { readonly name: string; readonly at: Date };
  /** The number in force; null where nothing is. */
  readonly inForce: string | null;
  /** The first time of the schedule behind `since`; null where there is none. */
  readonly time: Date | null;
  /** What the lock files settle on otherwise than in the version in force, a phrase each. */
  readonly packages: readonly string[];
  /** Which other agents are resolved otherwise than in the newest version's record, and which are not. */
  readonly agents: readonly string[];
  readonly unresolved: readonly string[];
  readonly now: Date;
}

export interface JudgedTrigger {
  readonly trigger: Trigger;
  readonly due: boolean;
  /** A few words, without a full stop. */
  readonly why: string;
}

type Lifecycle = Pick<AgentConfig["lifecycle"], "trigger">;

/** Which occasions of kai.yaml are swept, in the order of their names. */
export const sweptTriggers = ({ trigger: { on } }: Lifecycle): Trigger[] =>
  (["dependency", "schedule"] as const).filter((each) => on.includes(each));

/** Judges each occasion that kai.yaml names: one that the version in force does not name as well is not due. */
export const judgeTriggers = (lifecycle: Lifecycle, inForce: TriggerInForce, facts: TriggerFacts): JudgedTrigger[] =>
  sweptTriggers(lifecycle).map((trigger) =>
    inForce.trigger.on.includes(trigger)
      ? { trigger, ...JUDGE[trigger](facts, inForce) }
      : { trigger, ...notDue(`the kai.yaml of ${inForce.of}, which is in force, does not name it yet`) },
  );

const JUDGE: Readonly<
  Record<Trigger, (facts: TriggerFacts, lifecycle: Lifecycle) => Pick<JudgedTrigger, "due" | "why">>
> = {
  dependency: ({ nothingNew, inForce, packages, agents, unresolved }) => {
    const changes = [...(nothingNew === undefined ? packages : []), ...agents];
    if (changes.length > 0) return { due: true, why: listed(changes) };
    if (unresolved.length > 0) return notDue(`no version in its range is in force here of ${listed(unresolved)}`);
    return notDue(inForce === null ? "no version is in force to compare with" : `none differs from ${inForce}`);
  },
  schedule: ({ nothingNew, since, time, now }, { trigger: { schedule } }) => {
    if (time === null) return notDue(`${schedule} never comes`);
    if (time > now) return notDue(`${schedule} has not come since ${since.name}`);
    if (nothingNew !== undefined) return notDue(nothingNew);
    return { due: true, why: `${schedule} came at ${isoSeconds(time)}, since ${since.name}` };
  },
};

const notDue = (why: string) => ({ due: false, why });

/** Changes that are named. */
const NAMED = 5;

function listed(changes: readonly string[]): string {
  const more = changes.length - NAMED;
  return `${changes.slice(0, NAMED).join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}
