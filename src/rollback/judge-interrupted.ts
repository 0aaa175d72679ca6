import type { SnapshotTest } from "../agent/config.js";
import { KaiError } from "../error.js";
import { openRepository } from "../git/repository.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { Recovered } from "../operation/recover.js";
import { compareWithEarlier } from "../snapshot/testing/earlier-results.js";
import type { Signer } from "../trust/signer.js";
import { whyNotRun } from "../version/command-trust.js";
import { versionsBefore } from "../version/versions-before.js";
import { type WritingSession, withWritingSession } from "../version/writing-session.js";
import { checkAfterwards } from "./check-afterwards.js";
import { type CommandsInForce, commandsInForce } from "./commands-in-force.js";
import { didNotHold } from "./did-not-hold.js";
import type { RollbackCaller } from "./execution.js";
import { fallBack } from "./fall-back.js";
import { writeOutcome } from "./outcome.js";
import type { RollbackPlan } from "./plan.js";
import { StepLog, type StepResult } from "./step-log.js";
import { dropUnjudged, findUnjudged } from "./unjudged.js";

/** What was found of an operation that was interrupted behind its commit point. */
export interface JudgedOperation {
  readonly operation: string;
  readonly kind: string;
  readonly version: string;
  /** Null where nobody could be asked. */
  readonly well: boolean | null;
  readonly steps: readonly StepResult[];
  /** Why it was not asked, or the outcome not logged; null where all of that was done. */
  readonly problem: string | null;
}

interface Finding {
  readonly judged: JudgedOperation;
  readonly plan: RollbackPlan;
  readonly from: string | null;
  /** Why no way out is tried; null where some may be. */
  readonly barred: string | null;
}

export interface JudgeOptions {
  readonly trustCommands: boolean;
  /** What recovery did just now. */
  readonly recovered: readonly Recovered[];
}

/**
 * Asks what a rollback or an undo asks behind its commit point, where one was interrupted before, and logs what comes of it. Null
 * where none was. E127 where the agent is not well: a rollback goes on by its fallback strategies then, as it would have.
 */
export async function judgeInterrupted(caller: RollbackCaller, options: JudgeOptions): Promise<JudgedOperation | null> {
  if ((await findUnjudged(await openRepository(caller.cwd, caller.env))) === undefined) return null;
  const found = await withWritingSession(caller, { purpose: "recover", untracked: "no" }, (session) =>
    judge(session, caller, options),
  );
  if (found === undefined || found.judged.well !== false) return found?.judged ?? null;
  const { judged, plan, from, barred } = found;
  const failed = { ...judged, plan, from };
  const fallbacks = await fallBack(caller, failed, { trustCommands: options.trustCommands, barred });
  const what = `The ${judged.kind} to ${judged.version} that was interrupted`;
  throw didNotHold(what, failed, fallbacks, { exit: 4, data: { judged, interrupted: options.recovered } });
}

async function judge(
  session: WritingSession,
  caller: RollbackCaller,
  options: JudgeOptions,
): Promise<Finding | undefined> {
  const { repository } = session.agent;
  const operation = await findUnjudged(repository);
  if (operation === undefined) return undefined;
  const entry = awaitingJudgement(session, operation);
  const plan = entry && (await readPlan(session, entry));
  const inForce = await commandsInForce(session, entry && plan && { from: plan.from, to: plan.to, operation });
  if (!entry || !plan || !inForce) {
    await dropUnjudged(repository);
    return undefined;
  }
  const steps = new StepLog(plan, caller.onStep);
  const judged = await ask(session, caller, { entry, plan, steps, inForce, options });
  return { judged, plan, from: entry.current.before?.version ?? null, barred: whyNoWayOut(entry) };
}

/** Its entry, where what it put in force still is, and nobody has told how it ended. */
function awaitingJudgement({ history }: WritingSession, operation: string): LoggedEntry | undefined {
  const entry = history.log.find(({ id }) => id === operation);
  if (entry === undefined || entry.current.after?.pointer !== history.current?.pointer) return undefined;
  return history.log.some(({ kind, details }) => kind === "outcome" && details["of"] === operation) ? undefined : entry;
}

async function readPlan({ reader }: WritingSession, { commit }: LoggedEntry): Promise<RollbackPlan | undefined> {
  const file = await reader.find(`${commit}:plan.json`);
  return file && (JSON.parse(file.content.toString()) as RollbackPlan);
}

function whyNoWayOut({ kind, details }: LoggedEntry): string | null {
  if (kind === "undo") return "undo never falls back by itself";
  return details["recovers"] === undefined ? null : "it was a way out itself";
}

interface Question {
  readonly entry: LoggedEntry;
  readonly plan: RollbackPlan;
  readonly steps: StepLog;
  readonly inForce: CommandsInForce;
  readonly options: JudgeOptions;
}

async function ask(session: WritingSession, caller: RollbackCaller, question: Question): Promise<JudgedOperation> {
  const { entry, plan, steps, options } = question;
  const told = { operation: entry.id, kind: entry.kind, version: entry.current.after?.version ?? "" };
  const signer = await session.openSigner("operator").catch((cause: unknown) => {
    if (cause instanceof KaiError) return cause;
    throw cause;
  });
  const refused = await whyNotAsked(session, question, signer);
  if (refused) return { ...told, well: null, steps: [], problem: [refused.message, refused.hint].join(" ") };
  const started = options.recovered.find(({ operation }) => operation === entry.id)?.agent;
  // The failure is kept among the steps.
  if (started) await steps.command("start_agent", async () => started).catch(() => {});
  await check(session, caller, question);
  const problem = await log(session, { kind: entry.kind, id: entry.id, plan, steps }, signer);
  return { ...told, well: steps.failure === undefined, steps: steps.results, problem };
}

const testKinds = ({ validations }: RollbackPlan): SnapshotTest["kind"][] =>
  validations.flatMap(({ kind }) => (kind === "health" ? [] : [kind]));

const checksHealth = ({ validations }: RollbackPlan): boolean => validations.some(({ kind }) => kind === "health");

function whyNotAsked(
  session: WritingSession,
  { plan, inForce, options }: Question,
  signer: Signer | KaiError,
): Promise<KaiError | null> {
  const { version, named, commands, config } = inForce;
  const tests = config.snapshot_isolation.tests.filter(({ kind }) => testKinds(plan).includes(kind));
  const uses = [
    { version: named, commands: checksHealth(plan) && commands.health ? [commands.health.run] : [] },
    { version, commands: tests.map(({ run }) => run) },
  ];
  return whyNotRun(session, uses, options, signer instanceof KaiError ? undefined : signer.fingerprint);
}

async function check(session: WritingSession, caller: RollbackCaller, { plan, steps, inForce }: Question) {
  const { agent, history } = session;
  const { version, commands, config } = inForce;
  const left = history.versions.find(({ number }) => number.text === plan.from);
  const comparison = await compareWithEarlier(agent.repository, {
    place: "agent",
    version: version.tag,
    before: left === undefined ? [] : [left, ...versionsBefore(history, left)],
  });
  const asked = { after: commands, config, testKinds: testKinds(plan), checksHealth: checksHealth(plan) };
  const context = { env: caller.env, onOutput: caller.onOutput, comparison };
  await checkAfterwards(agent.repository.workTree ?? "", asked, steps, context);
}

/** Why it could not be logged; null where it is. It is asked again then, when somebody recovers with a key. */
async function log(
  session: WritingSession,
  { id, ...told }: Parameters<typeof writeOutcome>[2] & { readonly id: string },
  signer: Signer | KaiError,
): Promise<string | null> {
  if (signer instanceof KaiError) return `The outcome was not logged: ${signer.message}`;
  const { log, history, agent } = session;
  const performed = { id, entry: log.head, seq: log.entry.seq, at: log.at };
  await writeOutcome(session, { performed, inForce: history.current }, told, signer);
  await dropUnjudged(agent.repository);
  return null;
}
