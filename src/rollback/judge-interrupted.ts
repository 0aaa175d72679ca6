import { openRepository } from "../git/repository.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { Recovered } from "../operation/recover.js";
import { endCommandsOf } from "../system/marked-processes.js";
import { type WritingSession, withWritingSession } from "../version/writing-session.js";
import { type Answer, askInterrupted } from "./ask-interrupted.js";
import { commandsInForce } from "./commands-in-force.js";
import type { RollbackCaller } from "./decided.js";
import { didNotHold } from "./did-not-hold.js";
import { endJudging } from "./end-judging.js";
import { type Fallback, fallBack, type NotHeld, triedBefore } from "./fall-back.js";
import { type LeftToJudge, leftToJudge, outcomeOf } from "./left-to-judge.js";
import { goalOf, type RollbackPlan } from "./plan.js";
import { StepLog } from "./step-log.js";
import type { StepResult } from "./step-result.js";
import { dropUnjudged, findUnjudged } from "./unjudged.js";

/** What was found of an operation that was interrupted behind its commit point. */
export interface JudgedOperation extends Answer {
  readonly operation: string;
  readonly kind: string;
  readonly version: string;
}

interface Finding {
  readonly judged: JudgedOperation;
  /** The operation whose ways out are left, and those of them that came into force and were not well; undefined for none. */
  readonly failed: { readonly kind: string; readonly it: NotHeld; readonly tried: readonly Fallback[] } | undefined;
}

export interface JudgeOptions {
  readonly trustCommands: boolean;
  /** What recovery did just now. */
  readonly recovered: readonly Recovered[];
}

/**
 * Asks what a rollback or an undo asks behind its commit point, where one was interrupted before it had asked, and logs what comes
 * of it. Null where none was. E127 where the agent is not well and its policy holds that against it: a rollback goes on by its
 * fallback strategies then, as it would have, also where it was interrupted between two of them.
 */
export async function judgeInterrupted(caller: RollbackCaller, options: JudgeOptions): Promise<JudgedOperation | null> {
  const repository = await openRepository(caller.cwd, caller.env);
  if ((await findUnjudged(repository)) === undefined) return null;
  const found = await withWritingSession(caller, { purpose: "recover", untracked: "no" }, (session) =>
    judge(session, caller, options),
  );
  if (found?.failed === undefined) return found?.judged ?? null;
  const { judged, failed } = found;
  const { kind, it, tried } = failed;
  const barred = kind === "undo" ? "undo never falls back by itself" : null;
  const fallbacks = await fallBack(caller, it, { trustCommands: options.trustCommands, barred, tried });
  await endJudging(caller, judged.operation, fallbacks);
  const what = `The ${kind} to ${it.plan.stateAlone ? goalOf(it.plan) : it.version} that was interrupted`;
  throw didNotHold(what, it, fallbacks, { exit: 4, data: { judged, interrupted: options.recovered } });
}

async function judge(
  session: WritingSession,
  caller: RollbackCaller,
  options: JudgeOptions,
): Promise<Finding | undefined> {
  const { repository } = session.agent;
  const noted = await findUnjudged(repository);
  // What it was asking lives on when whoever waited for the answer is killed.
  if (noted) await endCommandsOf(noted.operation);
  const left = noted && leftToJudge(session.history, noted);
  const judged = left && (await judgeLatest(session, caller, left, options));
  const failed = left && judged?.ok === false ? await findFailed(session, left, judged) : undefined;
  if (failed === undefined && !judged?.problem) await dropUnjudged(repository);
  return judged && { judged, failed };
}

/** What its outcome says, or the agent itself; undefined where how to ask is not told any more. */
async function judgeLatest(
  session: WritingSession,
  caller: RollbackCaller,
  { latest, outcome }: LeftToJudge,
  options: JudgeOptions,
): Promise<JudgedOperation | undefined> {
  const told = { operation: latest.id, kind: latest.kind, version: latest.current.after?.version ?? "" };
  if (outcome) return { ...told, well: false, ok: false, steps: await readSteps(session, outcome), problem: null };
  const plan = await readPlan(session, latest);
  const inForce = plan && (await commandsInForce(session, { from: plan.from, to: plan.to, operation: latest.id }));
  if (!plan || !inForce) return undefined;
  const steps = new StepLog(plan, caller.onStep);
  return { ...told, ...(await askInterrupted(session, caller, { entry: latest, plan, steps, inForce, ...options })) };
}

async function findFailed(
  session: WritingSession,
  { first, latest, ways }: LeftToJudge,
  judged: JudgedOperation,
): Promise<Finding["failed"]> {
  const { log } = session.history;
  const stepsOf = async (entry: LoggedEntry) => {
    if (entry === latest) return judged.steps;
    const outcome = outcomeOf(log, entry);
    return outcome ? readSteps(session, outcome) : [];
  };
  const plan = await readPlan(session, first);
  if (plan === undefined) return undefined;
  const { before, after } = first.current;
  const it = { operation: first.id, from: before?.version ?? null, version: after?.version ?? "", plan };
  const tried = ways.map(async (way) => triedBefore(way, await stepsOf(way)));
  return { kind: first.kind, it: { ...it, steps: await stepsOf(first) }, tried: await Promise.all(tried) };
}

/** A rollback keeps its plan with its entry. */
async function readPlan({ reader }: WritingSession, { commit }: LoggedEntry): Promise<RollbackPlan | undefined> {
  const file = await reader.find(`${commit}:plan.json`);
  return file && (JSON.parse(file.content.toString()) as RollbackPlan);
}

/** Each step of an operation, as its outcome says. */
async function readSteps({ reader }: WritingSession, { commit }: LoggedEntry): Promise<readonly StepResult[]> {
  const file = await reader.find(`${commit}:outcome.json`);
  return file ? (JSON.parse(file.content.toString()) as { steps: readonly StepResult[] }).steps : [];
}
