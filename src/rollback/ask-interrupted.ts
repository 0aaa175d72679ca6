import type { SnapshotTest } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import type { Recovered } from "../operation/recover.js";
import { compareWithEarlier } from "../snapshot/testing/earlier-results.js";
import type { StartCommand } from "../system/agent-command.js";
import { startAgent, whyNotWell } from "../system/agent-process.js";
import { listMarked } from "../system/marked-processes.js";
import type { Signer } from "../trust/signer.js";
import { whyNotRun } from "../version/command-trust.js";
import { versionsBefore } from "../version/versions-before.js";
import type { WritingSession } from "../version/writing-session.js";
import { checkAfterwards } from "./check-afterwards.js";
import type { CommandsInForce } from "./commands-in-force.js";
import type { RollbackCaller } from "./decided.js";
import { writeOutcome } from "./outcome.js";
import { passedInImage } from "./passed-in-image.js";
import type { RollbackPlan } from "./plan.js";
import type { StepLog } from "./step-log.js";
import { illnessOf, type StepResult } from "./step-result.js";

/** An operation whose agent is asked late. */
export interface Question {
  readonly entry: LoggedEntry;
  readonly plan: RollbackPlan;
  readonly steps: StepLog;
  readonly inForce: CommandsInForce;
  readonly trustCommands: boolean;
  /** What recovery did just now. */
  readonly recovered: readonly Recovered[];
}

export interface Answer {
  /** Null where nobody could be asked. */
  readonly well: boolean | null;
  /** As of a rollback: false where it is not well, and the policy holds that against it. */
  readonly ok: boolean | null;
  readonly steps: readonly StepResult[];
  /** Why it was not asked, or the outcome not logged; null where all of that was done. */
  readonly problem: string | null;
}

/** Asks what a rollback asks behind its commit point, and logs the outcome; what it had started and runs no more is started first. */
export async function askInterrupted(
  session: WritingSession,
  caller: RollbackCaller,
  question: Question,
): Promise<Answer> {
  const { entry, plan, steps, recovered } = question;
  const signer = await session.openSigner("operator").catch((cause: unknown) => {
    if (cause instanceof KaiError) return cause;
    throw cause;
  });
  const started = recovered.find(({ operation }) => operation === entry.id)?.agent ?? null;
  const start = started ? null : await findStart(question);
  const refused = await whyNotAsked(session, question, start, signer);
  if (refused) return { well: null, ok: null, steps: [], problem: [refused.message, refused.hint].join(" ") };
  // The failure is kept among the steps.
  if (started) await steps.command("start_agent", async () => started).catch(() => {});
  // What a service manager or a container runs has no mark, and is not started beside itself.
  if (start && (await whyNotWell(start, { env: caller.env })) !== null) {
    await startNow(start, steps, caller).catch(() => {});
  }
  await check(session, caller, question);
  const problem = await log(session, { kind: entry.kind, id: entry.id, plan, steps }, signer);
  const ok = steps.failure === undefined;
  return { well: ok && illnessOf(steps.results) === undefined, ok, steps: steps.results, problem };
}

const testKinds = ({ validations }: RollbackPlan): SnapshotTest["kind"][] =>
  validations.flatMap(({ kind }) => (kind === "health" ? [] : [kind]));

const checksHealth = ({ validations }: RollbackPlan): boolean => validations.some(({ kind }) => kind === "health");

/** How the agent is started of which nothing that is marked runs, although it was to; null where it runs, or was to be left alone. */
async function findStart({ steps, inForce }: Question): Promise<StartCommand | null> {
  const { start } = inForce.commands;
  if (start === null || steps.step("start_agent") === undefined) return null;
  return (await listMarked(start.agent)).length === 0 ? start : null;
}

/** As the rollback would have. */
const startNow = (start: StartCommand, steps: StepLog, { env, onOutput }: RollbackCaller) =>
  steps.command("start_agent", ({ timeoutMs, cancelled }) =>
    startAgent({ ...start, timeoutMs }, { env, onOutput, cancelled }),
  );

function whyNotAsked(
  session: WritingSession,
  { plan, inForce, trustCommands }: Question,
  start: StartCommand | null,
  signer: Signer | KaiError,
): Promise<KaiError | null> {
  const { version, named, commands, config } = inForce;
  const tests = config.snapshot_isolation.tests.filter(({ kind }) => testKinds(plan).includes(kind));
  const health = start || checksHealth(plan) ? commands.health : null;
  const uses = [
    { version: named, commands: [start, health].flatMap((each) => each?.run ?? []) },
    { version, commands: tests.map(({ run }) => run) },
  ];
  return whyNotRun(session, uses, { trustCommands }, signer instanceof KaiError ? undefined : signer.fingerprint);
}

async function check(session: WritingSession, caller: RollbackCaller, { entry, plan, steps, inForce }: Question) {
  const { agent, history } = session;
  const { version, commands, config } = inForce;
  const left = history.versions.find(({ number }) => number.text === plan.from);
  const comparison = await compareWithEarlier(agent.repository, {
    place: "agent",
    version: version.tag,
    before: left === undefined ? [] : [left, ...versionsBefore(history, left)],
  });
  const asked = { after: commands, config, testKinds: testKinds(plan), checksHealth: checksHealth(plan) };
  const tree = (await session.reader.find(`${version.commit}^{tree}`))?.id ?? "";
  const context = {
    env: caller.env,
    onOutput: caller.onOutput,
    operation: entry.id,
    comparison,
    passedInImage: (scenario: SnapshotTest) => passedInImage(session, tree, scenario),
  };
  await checkAfterwards(agent.repository.workTree ?? "", asked, steps, context);
}

/** Why it could not be logged; null where it is. It is asked again then, when somebody recovers with a key. */
async function log(
  session: WritingSession,
  { id, ...told }: Parameters<typeof writeOutcome>[2] & { readonly id: string },
  signer: Signer | KaiError,
): Promise<string | null> {
  if (signer instanceof KaiError) return `The outcome was not logged: ${signer.message}`;
  const { log, history } = session;
  const performed = { id, entry: log.head, seq: log.entry.seq, at: log.at };
  await writeOutcome(session, { performed, inForce: history.current }, told, signer);
  return null;
}
