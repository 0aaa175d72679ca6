import { KaiError } from "../error.js";
import { type LinkChange, stageLinks } from "../operation/apply-links.js";
import type { LiveChange } from "../operation/live-change.js";
import type { SeenState } from "../operation/state-look.js";
import { backUpState } from "../state/back-up-state.js";
import { verifyCaptured } from "../state/captured-content.js";
import type { StatePatterns } from "../state/find-state-files.js";
import { type OpenedCapture, openCapture } from "../state/open-capture.js";
import { requireUnlocked } from "../state/require-unlocked.js";
import { stageState } from "../state/stage-state.js";
import type { EndCommand, StartCommand } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, startAgent } from "../system/agent-process.js";
import { endAgents } from "../system/end-agents.js";
import { lookBefore, startAgain } from "../system/start-again.js";
import { asSentence } from "../system/why-failed.js";
import type { Signer } from "../trust/signer.js";
import type { LifecycleCommands } from "../version/lifecycle-commands.js";
import type { WritingSession } from "../version/writing-session.js";
import { type InstalledAside, stageOutputs } from "./install-aside.js";
import { type PutBack, stagePutBack } from "./put-back.js";
import type { StepLog } from "./step-log.js";
import { stopRunningAgent } from "./stop-running-agent.js";

/** What a rollback does to the running agent; undefined parts are left alone. */
export interface LiveWork {
  /** Of the version that is left. */
  readonly before: LifecycleCommands;
  /** How that one is started again where nothing happens. */
  readonly startAgain: StartCommand | null;
  /** The marks of what was started here and runs beside it: of all of them only one is to run. */
  readonly beside: readonly string[];
  /** Of the version that is gone back to. */
  readonly after: LifecycleCommands;
  readonly capture: OpenedCapture | undefined;
  readonly installed: InstalledAside | undefined;
  /** What the operation that is taken back replaced. */
  readonly putBack: PutBack | undefined;
  /** The link to the deployment. */
  readonly link: LinkChange | undefined;
  /** Whether what was started is killed at once. */
  readonly emergency: boolean;
  /** Whether to go on where the agent may still run. */
  readonly force: boolean;
  /** Converts a copy of the live state and stages it where that works; undefined where none is to be converted. */
  readonly migrate: ((folder: string, timeoutMs: number, seen: SeenState) => Promise<CommandOutcome>) | undefined;
  readonly saveState: boolean;
  /** Of the version that is left and of the target. */
  readonly patterns: StatePatterns;
  /** Whether what was saved is read back and compared. */
  readonly verifyBackup: boolean;
  readonly signer: Signer;
}

/** The parts of an operation that touch the agent while it runs, each kept in the log of steps. */
export async function liveChange(
  session: WritingSession,
  work: LiveWork,
  steps: StepLog,
  context: CommandContext,
): Promise<LiveChange> {
  const { repository } = session.agent;
  const { workTree } = repository;
  if (workTree === undefined) throw new KaiError("E125", "A bare repository has no agent that runs.");
  const located = { ...repository, workTree };
  const stops = steps.step("stop_agent") !== undefined;
  const urgent = { urgent: work.emergency };
  const before = stops && work.startAgain ? await lookBefore(work.startAgain, urgent, context) : null;
  const startsAfter = steps.step("start_agent") === undefined ? null : work.after.start;
  // In another folder than the one that starts it runs on, unless the policy stopped it.
  const endsAfter = startsAfter
    ? endsOf([work.before.agent, ...work.beside].filter((agent) => agent !== startsAfter.agent))
    : [];
  let hasEnded = false;
  let seen: SeenState = [];
  return {
    before: { start: before?.start ?? null, end: [], ran: before?.ran ?? false },
    after: { start: startsAfter, end: endsAfter },
    inWorkTree: true,
    async stage(folder) {
      if (work.link) await stageLinks(folder, [work.link]);
      const { installed, putBack, capture } = work;
      if (installed) await stageOutputs(installed, folder, session.id, context.env);
      if (putBack) await steps.run("restore_dependencies", () => stagePutBack(putBack, folder, session.id));
      if (capture) await steps.run("restore_data", () => stageState(located, capture, folder, work.patterns));
    },
    async handOver(folder) {
      await steps.command("stop_agent", async ({ timeoutMs, cancelled }) => {
        const graceMs = work.emergency ? 0 : context.graceMs;
        const beside = await endAgents(endsOf(work.beside), { ...context, graceMs });
        if (beside?.ok === false && !work.force) return beside;
        const { outcome, remark, ended } = await stopRunningAgent({ ...work, timeoutMs }, { ...context, cancelled });
        hasEnded = ended;
        if (remark !== null) steps.remark("stop_agent", remark);
        return outcome;
      });
      await steps.run("backup_current", async () => {
        if (work.saveState) seen = await save(session, work, folder, steps);
      });
      const { migrate } = work;
      if (migrate) await steps.command("restore_data", ({ timeoutMs }) => migrate(folder, timeoutMs, seen));
      // Behind it: SQLite takes away a journal that it can make nothing of, which is saved by now.
      await requireUnlocked(located, folder);
    },
    async takeBack() {
      if (!before) return;
      const { ok, durationMs, error, runsOn } = await startAgain(before, { ended: hasEnded }, context);
      const remark = runsOn ?? (ok && !before.seen ? UNSEEN : null);
      if (remark !== null) {
        steps.remark("start_agent", remark);
        steps.note("start_agent", "skipped", null);
      }
      if (ok) return;
      steps.note("start_agent", "failed", durationMs, error);
      // Whoever interrupts it sees no error that could say so.
      if (session.caller.interrupted?.aborted) context.onOutput?.(`No agent runs now: ${error}\n`);
    },
    async settle() {
      if (!startsAfter) return;
      const starting = steps.command("start_agent", ({ timeoutMs }) =>
        start({ ...startsAfter, timeoutMs }, hasEnded, context),
      );
      const outcome = await starting.catch(remembered);
      if (outcome?.ok) await endAgents(endsAfter, context);
    },
  };
}

const UNSEEN =
  "Nothing spoke for it that an agent ran before; one was started, because lifecycle.stop may have ended it.";

/** They are ended by signals alone: what they are is known by their marks only. */
const endsOf = (agents: readonly string[]): EndCommand[] => agents.map((agent) => ({ agent, stop: null, ran: true }));

/** What fails is ended again, and where what ran before has `ended` for it none is left. Whoever cites it ends the sentence. */
async function start(command: StartCommand, ended: boolean, context: CommandContext): Promise<CommandOutcome> {
  const outcome = await startAgent(command, context);
  if (outcome.ok) return outcome;
  const left = ended ? `${agentOf(command)} was left running` : "What it started was ended again";
  return { ...outcome, error: `${asSentence(outcome.error ?? "")} ${left}` };
}

/** Of whom it is said: where a way out holds, another agent runs. */
const agentOf = ({ env: { KAI_VERSION: version } }: StartCommand): string =>
  version ? `No agent of ${version}` : "No agent";

/** All has happened by now: the log of steps has the failure. */
const remembered = (cause: unknown): undefined => {
  if (!(cause instanceof KaiError)) throw cause;
};

/** Saves the live state, now that nothing writes it, and reads it back where the policy wants that. Gives how it looked. */
async function save(
  session: WritingSession,
  { signer, verifyBackup, patterns }: LiveWork,
  folder: string,
  steps: StepLog,
): Promise<SeenState> {
  const { agent, reader, lock, id, at } = session;
  const { repository } = agent;
  const { workTree } = repository;
  if (workTree === undefined) return [];
  const request = { operation: id, patterns, who: signer, at, inherit: [lock.descriptor], folder };
  const { ref, digest, unreadable, seen } = await backUpState({ ...repository, workTree }, request);
  for (const { path, why } of unreadable) {
    steps.remark("backup_current", `${path}: saved as bytes, SQLite could not read it (${why})`);
  }
  if (!verifyBackup) return seen;
  const saved = await openCapture(repository, reader, { ref, digest });
  for (const file of saved.files) await verifyCaptured(repository, saved, file);
  return seen;
}
