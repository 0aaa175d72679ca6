import type { PlannedSwitch } from "../deploy/switch-deployment.js";
import type { OperationKind } from "../operation/entry.js";
import { compareWithEarlier } from "../snapshot/testing/earlier-results.js";
import { stateBackupRef } from "../state/back-up-state.js";
import { type OpenedCapture, openCapture } from "../state/open-capture.js";
import type { StartShell } from "../system/start-shell.js";
import type { Signer } from "../trust/signer.js";
import { whyNotRun } from "../version/command-trust.js";
import { sourcesDetails } from "../version/composed-version.js";
import { decryptionFor } from "../version/decryption-for.js";
import { validateVersion } from "../version/validate-version.js";
import { versionAndBefore } from "../version/versions-before.js";
import { type Caller, provingOf, type WritingSession } from "../version/writing-session.js";
import { type Backup, backUpChanges } from "./back-up-changes.js";
import { checkAfterwards } from "./check-afterwards.js";
import { cleanUp } from "./clean-up.js";
import { dropNeedlessBackups } from "./drop-needless-backups.js";
import { rememberTimes } from "./earlier-times.js";
import type { Prepared } from "./gather-facts.js";
import type { InstalledAside } from "./install-aside.js";
import { installDependencies } from "./install-dependencies.js";
import { liveChange } from "./live-steps.js";
import { migrateAside } from "./migrate-aside.js";
import { requireMintSigner } from "./mint-signer.js";
import { asksAgent, writeFailure, writeOutcome } from "./outcome.js";
import type { RollbackPlan } from "./plan.js";
import { planSwitch } from "./plan-switch.js";
import { listReplaced, type Replaced } from "./put-back.js";
import type { RollbackRequest } from "./request.js";
import { requireNotDisproven } from "./require-not-disproven.js";
import { type NewVersion, type Restored, restoreTree } from "./restore-tree.js";
import { startToBeStopped } from "./start-to-be-stopped.js";
import { statePatternsOf } from "./state-patterns.js";
import type { StepListener, StepLog } from "./step-log.js";
import type { Ground } from "./survey.js";
import { dropUnjudged, noteUnjudged } from "./unjudged.js";

/** Where the commands of a rollback run that is only rehearsed. */
export interface Shells {
  readonly usual: StartShell;
  /** With the network that it takes to install dependencies, where there is one. */
  toInstall(): Promise<StartShell>;
}

/** A caller, and whoever wants to see a rollback while it runs. */
export interface RollbackCaller extends Caller {
  /** Default: on this host. */
  readonly shells?: Shells | undefined;
  readonly onStep?: StepListener | undefined;
  /** Is told what commands print, as it comes. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

/** What log, commit and note say of it. */
export interface Telling {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly message: string;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
  /** The commit whose note tells of it; undefined for none. */
  readonly noteOn: string | undefined;
}

/** All that was read and decided before anything is touched. */
export interface Decided {
  readonly request: RollbackRequest;
  readonly ground: Ground;
  readonly prepared: Prepared;
  readonly plan: RollbackPlan;
  /** The version that has to be made; undefined where one is there. */
  readonly minted: Pick<NewVersion, "number" | "tag"> | undefined;
  readonly telling: Telling;
}

/** What was made ready for the commit point. */
interface Ready {
  readonly capture: OpenedCapture | undefined;
  readonly installed: InstalledAside | undefined;
  readonly backup: Backup | undefined;
  readonly deployment: PlannedSwitch | undefined;
}

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
    await checkAfterwards(repository.workTree ?? "", prepared, this.#steps, { ...this.#context, comparison });
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
      const restored = await this.#restore(signer, { capture, installed, backup, deployment });
      this.#noteRestored(performance.now() - began);
      return { ...restored, backup };
    } catch (cause) {
      this.#steps.compensate();
      await dropNeedlessBackups(this.#session, backup);
      throw cause;
    }
  }

  get #hasWaysOut(): boolean {
    return this.#steps.failure !== undefined && this.#decided.telling.kind === "rollback";
  }

  get #targetName(): string {
    const { target } = this.#decided.ground;
    return target.version?.tag ?? target.name;
  }

  get #context() {
    const { env, onOutput, shells } = this.#caller;
    return { env, onOutput, startShell: shells?.usual };
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

  /** Undefined where nothing of the running agent is touched. */
  async #live(signer: Signer, { capture, installed, deployment }: Ready) {
    const { prepared, request, plan } = this.#decided;
    const { before, after, startAgain, saveState, migration, putBack } = prepared;
    const touches = (["stop_agent", "start_agent", "restore_data"] as const).some((type) => this.#steps.step(type));
    const link = deployment?.link ?? undefined;
    if (!touches && !installed && !putBack && !saveState && !link) return undefined;
    const work = {
      before,
      after,
      startAgain,
      capture,
      installed,
      putBack,
      link,
      emergency: request.type === "emergency",
      force: request.force || request.type === "emergency",
      saveState,
      patterns: statePatternsOf(this.#session.agent.config, prepared.config),
      verifyBackup: plan.conditions.some((each) => each.type === "backup_verification" && each.required),
      migrate:
        migration &&
        ((folder: string, timeoutMs: number) => {
          const command = { ...migration.command, timeoutMs };
          const patterns = statePatternsOf(this.#session.agent.config, prepared.config);
          return migrateAside(this.#session, { ...migration, command, patterns }, folder, this.#context);
        }),
      signer,
    };
    return liveChange(this.#session, work, this.#steps, this.#context);
  }

  async #restore(signer: Signer, ready: Ready): Promise<Restored> {
    const { capture, backup, deployment } = ready;
    const { ground, minted, telling, prepared, plan } = this.#decided;
    const made = minted && {
      ...minted,
      description: telling.subject,
      capture: capture && { commit: await this.#commitOf(capture.ref), digest: capture.digest },
    };
    return restoreTree(
      this.#session,
      {
        ...telling,
        branch: ground.branch,
        head: ground.head,
        fromTree: ground.fromTree,
        toTree: ground.toTree,
        version: made ?? ground.version ?? null,
        details: {
          ...telling.details,
          // At the top: `status` and `deploy` look for these keys in any entry.
          ...deployment?.details,
          ...(prepared.mintSigner?.role === "operator" && sourcesDetails(prepared.mintSigner.sources)),
          backup: backup?.ref ?? null,
          state: prepared.saveState ? stateBackupRef(this.#session.id) : null,
        },
        files: new Map([["plan.json", Buffer.from(`${JSON.stringify(plan)}\n`)]]),
        saved: backup?.saved ?? new Set(),
        live: await this.#live(signer, ready),
        requireTime: () => this.#steps.requireTime(),
      },
      signer,
    );
  }

  async #commitOf(ref: string): Promise<string> {
    return (await this.#session.reader.find(`${ref}^{commit}`))?.id ?? "";
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
