import type { PlannedSwitch } from "../deploy/switch-deployment.js";
import { compareWithEarlier } from "../snapshot/testing/earlier-results.js";
import { stateBackupRef } from "../state/back-up-state.js";
import { type OpenedCapture, openCapture } from "../state/open-capture.js";
import type { Signer } from "../trust/signer.js";
import { whyNotRun } from "../version/command-trust.js";
import { decryptionFor } from "../version/decryption-for.js";
import { validateVersion } from "../version/validate-version.js";
import { versionAndBefore } from "../version/versions-before.js";
import { provingOf, type WritingSession } from "../version/writing-session.js";
import { type Backup, backUpChanges } from "./back-up-changes.js";
import { checkAfterwards } from "./check-afterwards.js";
import { cleanUp } from "./clean-up.js";
import type { Decided, RollbackCaller } from "./decided.js";
import { dropNeedlessBackups } from "./drop-needless-backups.js";
import { rememberTimes } from "./earlier-times.js";
import type { InstalledAside } from "./install-aside.js";
import { installDependencies } from "./install-dependencies.js";
import { requireMintSigner } from "./mint-signer.js";
import { asksAgent, writeFailure, writeOutcome } from "./outcome.js";
import { passedInImage } from "./passed-in-image.js";
import { planSwitch } from "./plan-switch.js";
import { listReplaced, type Replaced } from "./put-back.js";
import { requireNotDisproven } from "./require-not-disproven.js";
import { type Carrying, commandContext, restoreTarget } from "./restore-target.js";
import type { Restored } from "./restore-tree.js";
import { startToBeStopped } from "./start-to-be-stopped.js";
import type { StepLog } from "./step-log.js";
import { dropUnjudged, noteUnjudged } from "./unjudged.js";

export interface Executed {
  readonly restored: Restored;
  /** The ref that holds the files that were overwritten; null where there were none. */
  readonly backup: string | null;
  readonly stateBackup: string | null;
  /** What was replaced of the things that git ignores, and where it is kept. */
  readonly replaced: readonly Replaced[];
}

/** Carries a plan out, step by step; what fails before the commit point is taken back. */
export class Execution {
  readonly #session: WritingSession;
  readonly #caller: RollbackCaller;
  #decided: Decided;
  readonly #steps: StepLog;

  constructor(session: WritingSession, caller: RollbackCaller, decided: Decided, steps: StepLog) {
    this.#session = session;
    this.#caller = caller;
    this.#decided = decided;
    this.#steps = steps;
  }

  /** Proves the target. A tree of which only a part is taken is that of a version, too. */
  async validateTarget(): Promise<void> {
    const { version } = this.#decided.ground.target;
    const { log } = this.#session;
    if (version === undefined) return;
    if (version.type === "foreign") return requireNotDisproven(log, version);
    this.#caller.progress(`Verifying ${version.tag}`);
    await validateVersion(provingOf(this.#session), version);
  }

  async run(): Promise<Executed> {
    const { prepared, request, plan, telling } = this.#decided;
    const { agent } = this.#session;
    // Its entry is an operator's, also where the version that it makes takes a releaser.
    const signer = await this.#session.openSigner("operator");
    if (prepared.mintSigner) await requireMintSigner(this.#session, signer, prepared.mintSigner);
    const refused = await whyNotRun(this.#session, prepared.uses, request, signer.fingerprint);
    if (refused) throw refused;
    if (request.rehearsal) await this.#startToBeStopped();
    if (asksAgent(this.#steps))
      await noteUnjudged(agent.repository, { operation: this.#session.id, recovers: request.recovers ?? null });
    const restored = await this.#toCommitPoint(signer).catch(async (cause: Error) => {
      const version = this.#decided.ground.version?.number.text ?? null;
      const failure = { kind: telling.kind, plan, steps: this.#steps, version, cause };
      // What is told is why it failed.
      await writeFailure(this.#session, failure, signer).catch(() => {});
      throw cause;
    });
    await this.#checkAfterwards(restored);
    await this.#steps.run("cleanup", () => cleanUp(this.#session, prepared.retention));
    const told = { kind: telling.kind, plan, steps: this.#steps };
    const logged = writeOutcome(this.#session, restored, told, signer);
    await logged
      .then(() => (this.#hasWaysOut ? undefined : dropUnjudged(agent.repository)))
      .catch((cause: Error) => {
        // All has happened, and whoever goes on from it has to be told how it ended, not that the log lacks it.
        this.#steps.note("cleanup", "failed", null, `The outcome could not be logged: ${cause.message}`);
      });
    await rememberTimes(agent.repository, this.#steps.results);
    const stateBackup = prepared.saveState ? stateBackupRef(this.#session.id) : null;
    const replaced = await listReplaced(agent.repository, this.#session.id).catch(() => []);
    return { restored, backup: restored.backup?.ref ?? null, stateBackup, replaced };
  }

  async #startToBeStopped(): Promise<void> {
    const context = { ...this.#context, cancelled: this.#caller.interrupted };
    const prepared = await startToBeStopped(this.#decided.prepared, this.#steps, context);
    this.#decided = { ...this.#decided, prepared };
  }

  async #toCommitPoint(signer: Signer): Promise<Restored & { backup: Backup | undefined }> {
    const { agent, reader } = this.#session;
    const { prepared } = this.#decided;
    const decryption = decryptionFor(this.#caller);
    const capture =
      prepared.capture && (await openCapture(agent.repository, reader, { ...prepared.capture, decryption }));
    const installed = await installDependencies(this.#session, this.#caller, this.#decided, this.#steps);
    return this.#replace(signer, capture, installed).finally(() =>
      // What cannot be removed now is swept up by whoever comes next.
      installed?.remove().catch(() => {}),
    );
  }

  /** What it takes now is compared with what it took with the version that is left, or the nearest before that. */
  async #checkAfterwards({ inForce }: Restored): Promise<void> {
    const { prepared, ground } = this.#decided;
    const { repository } = this.#session.agent;
    const { from } = ground;
    const comparison = await compareWithEarlier(repository, {
      place: "agent",
      version: inForce?.tag ?? null,
      // What takes the way into a container as well cannot be compared with what did not.
      before: from === undefined || this.#caller.shells ? [] : versionAndBefore(this.#session.history, from),
    });
    await checkAfterwards(repository.workTree ?? "", prepared, this.#steps, {
      ...this.#context,
      operation: this.#session.id,
      comparison,
      passedInImage: (scenario) => passedInImage(this.#session, ground.toTree, scenario),
    });
  }

  /** Up to the commit point and a little behind it. */
  async #replace(
    signer: Signer,
    capture: OpenedCapture | undefined,
    installed: InstalledAside | undefined,
  ): Promise<Restored & { backup: Backup | undefined }> {
    const backup = await this.#backUp(signer);
    try {
      const deployment = await this.#planSwitch();
      this.#caller.progress(`Restoring ${this.#targetName}`);
      const began = performance.now();
      this.#steps.beginRestoring();
      const restored = await restoreTarget(this.#carrying, signer, { capture, installed, backup, deployment });
      this.#noteRestored(performance.now() - began);
      return { ...restored, backup };
    } catch (cause) {
      this.#steps.compensate();
      await dropNeedlessBackups(this.#session, backup);
      throw cause;
    }
  }

  get #carrying(): Carrying {
    return { session: this.#session, caller: this.#caller, decided: this.#decided, steps: this.#steps };
  }

  get #hasWaysOut(): boolean {
    return this.#steps.failure !== undefined && this.#decided.telling.kind === "rollback";
  }

  get #targetName(): string {
    const { target } = this.#decided.ground;
    return target.version?.tag ?? target.name;
  }

  get #context() {
    return commandContext(this.#caller);
  }

  async #backUp(signer: Signer): Promise<Backup | undefined> {
    const { request, ground } = this.#decided;
    const { repository } = this.#session.agent;
    if (!request.force || repository.workTree === undefined) return undefined;
    const { head, fromTree, toTree, status } = ground;
    const asked = { operation: this.#session.id, head, fromTree, toTree, dirty: status.dirty, at: this.#session.at };
    const inherit = [this.#session.lock.descriptor];
    return backUpChanges({ ...repository, workTree: repository.workTree }, { ...asked, inherit }, signer);
  }

  /** The deployment goes back with the version; one that has to be made first has nothing to be switched to. */
  async #planSwitch(): Promise<PlannedSwitch | undefined> {
    const { ground, prepared, telling } = this.#decided;
    const { deployed, target } = ground;
    if (deployed?.next === undefined) return undefined;
    const { version } = deployed.next;
    if (version !== target.version) await validateVersion(provingOf(this.#session), version);
    const event = telling.kind === "undo" ? "undo" : "rollback";
    const request = { version, event, install: prepared.installDeployed } as const;
    return planSwitch(this.#session, deployed, request, { ...this.#context, cancelled: this.#caller.interrupted });
  }

  /** Files, configuration and state come into place as one, so their time is told once. */
  #noteRestored(tookMs: number): void {
    const inside = ["stop_agent", "backup_current", "start_agent", "restore_data"];
    const others = this.#steps.results.filter(({ type }) => inside.includes(type));
    const spent = others.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0);
    for (const type of ["restore_code", "restore_config"] as const) {
      if (!this.#decided.plan.steps.some((step) => step.type === type)) continue;
      const applies = this.#steps.step(type) !== undefined;
      this.#steps.note(type, applies ? "done" : "skipped", applies && type === "restore_code" ? tookMs - spent : null);
    }
  }
}
