import { versionInForce } from "../version/history.js";
import { resolveAgents } from "../version/resolved-agents.js";
import { requireCommit } from "../version/work-tree-status.js";
import type { WritingSession } from "../version/writing-session.js";
import { changedAgents, unresolvedAgents } from "./changed-agents.js";
import { changedPackages } from "./changed-packages.js";
import { sweptTriggers, type TriggerFacts } from "./judge-triggers.js";
import { findNewestVersion, type NewestVersion } from "./newest-version.js";
import { nextTime } from "./next-time.js";
import type { TriggerInForce } from "./trigger-in-force.js";
import { whyNothingNew } from "./what-is-new.js";

/** What occasions are judged by, and when the schedule comes next. */
export interface GatheredFacts extends TriggerFacts {
  readonly next: Date | null;
}

/** Reads what the occasions need that are named, and no more. */
export async function gatherFacts(session: WritingSession, inForce: TriggerInForce): Promise<GatheredFacts> {
  const { history, at: now } = session;
  const swept = sweptTriggers(inForce);
  const newest = await findNewestVersion(session);
  const since = newest ? { name: newest.tag, at: newest.at } : { name: "the log began", at: logBegan(session) };
  const nothingNew = await whyNothingNew(session);
  const depends = swept.includes("dependency");
  const { schedule } = inForce.trigger;
  const times = swept.includes("schedule") && schedule !== null ? [since.at, now] : [];
  const [time = null, next = null] = await Promise.all(times.map((after) => nextTime(schedule ?? "", after)));
  return {
    nothingNew,
    since,
    inForce: versionInForce(history)?.number.text ?? null,
    time,
    next,
    packages: depends && nothingNew === undefined ? await packagesSince(session) : [],
    ...(depends ? await agentsSince(session, newest) : { agents: [], unresolved: [] }),
    now,
  };
}

const logBegan = ({ history, at }: WritingSession): Date => new Date(history.log.at(-1)?.at ?? at);

async function packagesSince(session: WritingSession): Promise<string[]> {
  const inForce = versionInForce(session.history);
  return inForce === undefined ? [] : changedPackages(session, inForce.commit, requireCommit(await session.status));
}

async function agentsSince({ agent, caller }: WritingSession, newest: NewestVersion | undefined) {
  const resolved = await resolveAgents(agent.config, caller.env);
  const recorded = newest?.record.dependencies?.agents ?? {};
  // Of the first version nobody has asked for yet, nothing can differ.
  return { agents: newest ? changedAgents(recorded, resolved) : [], unresolved: unresolvedAgents(resolved) };
}
