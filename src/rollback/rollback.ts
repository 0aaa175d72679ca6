import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { liveStateOf } from "../version/live-state.js";
import { requireMovableBranch } from "../version/movable-branch.js";
import type { VersionNumber } from "../version/number.js";
import { validateVersion } from "../version/validate-version.js";
import { requireCommit, type WorkTreeStatus } from "../version/work-tree-status.js";
import { type Caller, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { type Backup, backUpChanges } from "./back-up-changes.js";
import { dropNeedlessBackup } from "./drop-needless-backup.js";
import { planRollback, type RollbackPlan, type StepType } from "./plan.js";
import { requireWholeRange, shallow } from "./require-whole-range.js";
import { type Restored, restoreTree } from "./restore-tree.js";

export interface RollbackOptions {
  readonly to: VersionNumber;
  readonly force: boolean;
  readonly unproven: boolean;
  readonly dryRun: boolean;
}

export interface RollbackStep {
  readonly type: StepType;
  readonly status: "planned" | "done" | "skipped";
  readonly durationMs: number | null;
  readonly error: null;
}

export interface RollbackResult {
  readonly operation: string | null;
  readonly from: string | null;
  readonly to: string;
  readonly type: "version";
  /** The commit made; null in a dry run, or where the branch holds the target's tree already. */
  readonly commit: string | null;
  readonly version: string;
  readonly tag: string;
  readonly steps: readonly RollbackStep[];
  readonly risks: readonly string[];
  /** The ref that holds what was overwritten. */
  readonly backup: string | null;
  readonly undone: number;
}

interface Ground {
  readonly plan: RollbackPlan;
  readonly status: WorkTreeStatus;
  readonly head: string;
  readonly branch: string;
  readonly fromTree: string;
  readonly toTree: string;
  readonly undone: readonly string[];
}

/** Goes back to an earlier version: one signed commit whose tree is the target's, and `current` on the target. */
export function rollBack(caller: Caller, options: RollbackOptions): Promise<RollbackResult> {
  return withWritingSession(caller, { purpose: "rollback", untracked: "no" }, async (session) => {
    const steps = new StepClock();
    const ground = await survey(session, options);
    const { plan } = ground;
    caller.progress(`Verifying ${plan.to.tag}`);
    await steps.run("validate_target", () => validateTarget(session, plan));
    if (options.dryRun) return resultOf(ground, null, plannedSteps(plan), null, null);
    const signer = await session.openSigner("operator");
    const backup = await steps.run("backup_current", () => backUp(session, ground, options, signer));
    caller.progress(`Restoring ${plan.to.tag}`);
    const restored = await steps
      .run("restore_code", () => restore(session, ground, backup, signer))
      .catch(async (cause) => {
        if (backup) await dropNeedlessBackup(session, backup);
        throw cause;
      });
    steps.note("cleanup", "done");
    return resultOf(ground, session.id, steps.taken, backup, restored.commit);
  });
}

async function survey(session: WritingSession, options: RollbackOptions): Promise<Ground> {
  const { repository, config } = session.agent;
  const plan = planRollback(session.history, options.to, options);
  const status = await session.status;
  const head = requireCommit(status);
  const branch = await requireMovableBranch(repository, status);
  const isLiveState = liveStateOf(config);
  const dirty = status.dirty.filter((name) => !isLiveState(name));
  if (dirty.length > 0 && !options.force) throw wouldOverwrite(dirty);
  const [from, to] = await Promise.all([head, plan.to.commit].map((commit) => session.reader.find(`${commit}^{tree}`)));
  if (from === undefined || to === undefined) throw notHere(repository, plan.to.tag);
  if (from.id === to.id && plan.from === plan.to) {
    throw new KaiError("E109", `${plan.to.tag} is in force already, and the branch holds its files.`, {
      hint: dirty.length > 0 ? "`git checkout -- .` throws your changes away." : "There is nothing to go back to.",
    });
  }
  const range = await runGit(repository, ["rev-list", head, `^${plan.to.commit}`, "--"]);
  const undone = range
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  await requireWholeRange(repository, undone, plan.to.tag);
  return { plan, status, head, branch, fromTree: from.id, toTree: to.id, undone };
}

const notHere = (repository: Repository, tag: string): KaiError =>
  repository.shallow
    ? shallow(`the commit of ${tag} and what it holds are not in it`)
    : new KaiError("E101", `The commit of ${tag} is not in this repository.`, {
        hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
      });

function wouldOverwrite(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError(
    "E102",
    `Files were changed and not committed: ${shown}${paths.length > 5 ? `, and ${paths.length - 5} more` : ""}.`,
    {
      hint: "Commit or stash them; `--force` saves them under refs/kai/backup and goes on.",
      data: { paths: paths.map(readablePath) },
    },
  );
}

async function validateTarget(session: WritingSession, plan: RollbackPlan): Promise<void> {
  if (plan.to.type !== "foreign")
    await validateVersion(session.agent.repository, session.log, session.history, plan.to);
}

function backUp(
  session: WritingSession,
  ground: Ground,
  options: RollbackOptions,
  signer: Signer,
): Promise<Backup | undefined> {
  const { repository } = session.agent;
  if (!options.force || repository.workTree === undefined) return Promise.resolve(undefined);
  const { head, fromTree, toTree } = ground;
  const { dirty } = ground.status;
  const request = { operation: session.id, head, fromTree, toTree, dirty, at: session.at };
  const inherit = [session.lock.descriptor];
  return backUpChanges({ ...repository, workTree: repository.workTree }, { ...request, inherit }, signer);
}

/** Makes the commit with the target's files and puts the target in force. */
function restore(
  session: WritingSession,
  ground: Ground,
  backup: Backup | undefined,
  signer: Signer,
): Promise<Restored> {
  const { plan } = ground;
  return restoreTree(
    session,
    {
      kind: "rollback",
      subject: `rollback ${plan.from?.tag ?? "nothing"} -> ${plan.to.tag}`,
      branch: ground.branch,
      head: ground.head,
      fromTree: ground.fromTree,
      toTree: ground.toTree,
      message: rollbackMessage(ground, session.id),
      version: plan.to,
      withdrawn: plan.from && plan.from !== plan.to ? [plan.from.number.text] : [],
      restored: plan.to.withdrawn ? [plan.to.number.text] : [],
      details: {
        type: "version",
        from: plan.from?.number.text ?? null,
        to: plan.to.number.text,
        backup: backup?.ref ?? null,
      },
      noteOn: plan.from?.commit,
      saved: backup?.saved ?? new Set(),
    },
    signer,
  );
}

/** The commit says which commits it undoes in git's own words, and in trailers what it is. */
function rollbackMessage({ plan, undone }: Ground, operation: string): string {
  const reverts = undone.map((commit) => `This reverts commit ${commit}.`).join("\n");
  const trailers = [
    `Kai-Operation: ${operation}`,
    ...(plan.from ? [`Kai-Rollback-From: ${plan.from.number.text}`] : []),
    `Kai-Rollback-To: ${plan.to.number.text}`,
    "Kai-Components: all",
  ];
  return [`Roll back to ${plan.to.tag}`, ...(reverts === "" ? [] : [reverts]), trailers.join("\n")].join("\n\n");
}

const plannedSteps = (plan: RollbackPlan): RollbackStep[] =>
  plan.steps.map(({ type }) => ({ type, status: "planned", durationMs: null, error: null }));

function resultOf(
  ground: Ground,
  operation: string | null,
  steps: readonly RollbackStep[],
  backup: Backup | null | undefined,
  commit: string | null,
): RollbackResult {
  const { plan } = ground;
  return {
    operation,
    from: plan.from?.number.text ?? null,
    to: plan.to.number.text,
    type: plan.type,
    commit,
    version: plan.to.number.text,
    tag: plan.to.tag,
    steps,
    risks: plan.risks,
    backup: backup?.ref ?? null,
    undone: ground.undone.length,
  };
}

/** Runs steps one after the other and keeps what became of each and how long it took. */
class StepClock {
  readonly taken: RollbackStep[] = [];

  async run<T>(type: StepType, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    const skipped = type === "backup_current" && result === undefined;
    this.taken.push({
      type,
      status: skipped ? "skipped" : "done",
      durationMs: Math.round(performance.now() - started),
      error: null,
    });
    return result;
  }

  note(type: StepType, status: RollbackStep["status"]): void {
    this.taken.push({ type, status, durationMs: 0, error: null });
  }
}
