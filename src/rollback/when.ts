import { KaiError } from "../error.js";
import { whyNotRun } from "../version/command-trust.js";
import { type WritingSession, withWritingSession } from "../version/writing-session.js";
import { commandsInForce } from "./commands-in-force.js";
import { type Condition, judgeCondition, type Metrics, parseCondition } from "./condition.js";
import type { RollbackCaller } from "./decided.js";
import type { DecidedOn } from "./overtaken.js";
import { readMetrics } from "./read-metrics.js";
import { suggestTargets } from "./suggest.js";

export interface WhenOptions {
  /** As `parseCondition` reads it. */
  readonly condition: string;
  readonly trustCommands: boolean;
}

/** What was measured, and what follows from it. */
export interface Judged {
  readonly triggered: boolean;
  readonly condition: string;
  readonly metrics: Metrics;
  /** The version that a rollback had best go to; null where there is none. */
  readonly suggestion: string | null;
  /** What it was judged of: a rollback that is given it goes back from nothing else. */
  readonly decidedOn: DecidedOn;
}

/**
 * Measures what a condition speaks of and judges it; an operation that was interrupted is brought to its end before. E122 for a
 * condition that cannot be read, E112 where health is asked for and its command may not be run.
 */
export function judgeWhen(caller: RollbackCaller, { condition, trustCommands }: WhenOptions): Promise<Judged> {
  const parsed = parseCondition(condition);
  return withWritingSession(caller, { purpose: "rollback --when", untracked: "no" }, async (session) => {
    const metrics = await measure(session, parsed, trustCommands);
    const [best] = suggestTargets(session.history, session.at).filter(({ score }) => score > 0);
    return {
      triggered: judgeCondition(parsed, metrics),
      condition: parsed.text,
      metrics,
      suggestion: best?.version ?? null,
      decidedOn: session.history.current?.pointer ?? null,
    };
  });
}

async function measure(session: WritingSession, { metrics }: Condition, trustCommands: boolean): Promise<Metrics> {
  const { agent, caller, history, at } = session;
  const asksHealth = metrics.includes("health") || metrics.includes("health_failures");
  return readMetrics(metrics, {
    health: asksHealth ? await healthCommand(session, trustCommands) : null,
    env: caller.env,
    folder: agent.repository.workTree ?? agent.repository.gitDir,
    log: history.log,
    inForceSince: history.lastMove === undefined ? null : new Date(history.lastMove.at),
    now: at,
  });
}

/** Of the version in force, or of the one that is deployed. */
async function healthCommand(session: WritingSession, trustCommands: boolean) {
  const inForce = await commandsInForce(session);
  if (inForce === undefined) return null;
  const { health } = inForce.commands;
  if (health === null) return null;
  const uses = [{ version: inForce.named, commands: [health.run] }];
  if ((await whyNotRun(session, uses, { trustCommands })) === null) return health;
  // A key that is only in the environment is known once it is opened.
  const { fingerprint } = await session.openSigner("operator");
  const refused = await whyNotRun(session, uses, { trustCommands }, fingerprint);
  if (refused) throw refused;
  return health;
}

/** E101 where a condition holds and there is nothing to go back to. */
export function requireSuggestion({ suggestion, condition }: Judged): string {
  if (suggestion !== null) return suggestion;
  throw new KaiError("E101", `The condition holds (${condition}), and there is no version to go back to.`, {
    hint: "`git kai-version rollback --suggest` shows what speaks against each; name one to go to it.",
  });
}
