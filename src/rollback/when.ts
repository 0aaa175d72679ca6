import { KaiError } from "../error.js";
import { whyNotRun } from "../version/command-trust.js";
import { findDeployed, placeOf } from "../version/deployed-agent.js";
import { configuredRoot } from "../version/deployment-place.js";
import { versionInForce } from "../version/history.js";
import { lifecycleCommands } from "../version/lifecycle-commands.js";
import { findVersionConfig } from "../version/version-config.js";
import { type WritingSession, withWritingSession } from "../version/writing-session.js";
import { type Condition, judgeCondition, type Metrics, parseCondition } from "./condition.js";
import type { RollbackCaller } from "./execution.js";
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

/** Of the version in force, or of the one that is deployed, in the folder where it runs. */
async function healthCommand(session: WritingSession, trustCommands: boolean) {
  const { agent, reader, history, log, id } = session;
  const { repository } = agent;
  const version = versionInForce(history);
  const config = version && (await findVersionConfig(reader, version.commit));
  if (!version || !config) return null;
  const deployed = await findDeployed(session, await configuredRoot(repository, config), undefined);
  const number = version.number.text;
  const { health } = lifecycleCommands((deployed?.left?.config ?? config).lifecycle, {
    ...placeOf(repository, deployed, deployed?.version),
    version: deployed?.version ?? number,
    from: number,
    to: number,
    operation: id,
    commonDir: repository.commonDir,
    repo: log.entry.repo,
  });
  if (health === null) return null;
  const uses = [{ version: deployed?.left?.version ?? version, commands: [health.run] }];
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
