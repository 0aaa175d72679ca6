import { KaiError } from "../error.js";
import { type LinkChange, stageLinks } from "../operation/apply-links.js";
import type { LiveChange } from "../operation/live-change.js";
import { backUpState } from "../state/back-up-state.js";
import { verifyCaptured } from "../state/captured-content.js";
import { type OpenedCapture, openCapture } from "../state/open-capture.js";
import { stageState } from "../state/stage-state.js";
import { type CommandContext, startAgent, stopAgent } from "../system/agent-process.js";
import type { Signer } from "../trust/signer.js";
import type { WritingSession } from "../version/writing-session.js";
import { type InstalledAside, stageOutputs } from "./install-aside.js";
import type { LifecycleCommands } from "./lifecycle-commands.js";
import type { StepLog } from "./step-log.js";

/** What a rollback does to the running agent; undefined parts are left alone. */
export interface LiveWork {
  /** Of the version that is left. */
  readonly before: LifecycleCommands;
  /** Of the version that is gone back to. */
  readonly after: LifecycleCommands;
  readonly capture: OpenedCapture | undefined;
  readonly installed: InstalledAside | undefined;
  /** The link to the deployment. */
  readonly link: LinkChange | undefined;
  /** Whether what was started is killed at once. */
  readonly emergency: boolean;
  /** Converts a copy of the live state and stages it; undefined where none is to be converted. */
  readonly migrate: ((folder: string) => Promise<void>) | undefined;
  readonly saveState: boolean;
  /** Whether what was saved is read back and compared. */
  readonly verifyBackup: boolean;
  readonly signer: Signer;
}

/** The parts of an operation that touch the agent while it runs, each kept in the log of steps. */
export function liveChange(
  session: WritingSession,
  work: LiveWork,
  steps: StepLog,
  context: CommandContext,
): LiveChange {
  const { repository, config } = session.agent;
  const { workTree } = repository;
  if (workTree === undefined) throw new KaiError("E125", "A bare repository has no agent that runs.");
  const { state } = config.version_management.artifacts;
  const located = { ...repository, workTree };
  const stops = steps.step("stop_agent") !== undefined;
  const startsBefore = stops ? work.before.start : null;
  const startsAfter = steps.step("start_agent") === undefined ? null : work.after.start;
  return {
    before: startsBefore,
    after: startsAfter,
    async stage(folder) {
      if (work.link) await stageLinks(folder, [work.link]);
      if (work.installed) await stageOutputs(work.installed, folder);
      const { capture } = work;
      if (capture) await steps.run("restore_data", () => stageState(located, capture, folder, state));
    },
    async stop(folder) {
      await steps.command("stop_agent", () => stop(work, context));
      await steps.run("backup_current", async () => {
        if (work.saveState) await save(session, work, folder);
      });
      const { migrate } = work;
      if (migrate) await steps.run("restore_data", () => migrate(folder));
    },
    async startAgain() {
      if (startsBefore) await startAgent(startsBefore, context);
    },
    async start() {
      if (startsAfter) await steps.command("start_agent", () => startAgent(startsAfter, context)).catch(remembered);
    },
  };
}

/** All has happened by now: the log of steps has the failure. */
const remembered = (cause: unknown): void => {
  if (!(cause instanceof KaiError)) throw cause;
};

async function stop(work: LiveWork, context: CommandContext) {
  const { agent } = work.before;
  return work.emergency
    ? stopAgent(null, agent, { ...context, graceMs: 0 })
    : stopAgent(work.before.stop, agent, context);
}

/** Saves the live state, now that nothing writes it, and reads it back where the policy wants that. */
async function save(session: WritingSession, { signer, verifyBackup }: LiveWork, folder: string): Promise<void> {
  const { agent, reader, lock, id, at } = session;
  const { repository, config } = agent;
  const { workTree } = repository;
  if (workTree === undefined) return;
  const patterns = config.version_management.artifacts.state;
  const request = { operation: id, patterns, who: signer, at, inherit: [lock.descriptor], folder };
  const { ref, digest } = await backUpState({ ...repository, workTree }, request);
  if (!verifyBackup) return;
  const saved = await openCapture(repository, reader, { ref, digest });
  for (const file of saved.files) await verifyCaptured(repository, saved, file);
}
