import type { PlannedSwitch } from "../deploy/switch-deployment.js";
import type { SeenState } from "../operation/state-look.js";
import { stateBackupRef } from "../state/back-up-state.js";
import type { OpenedCapture } from "../state/open-capture.js";
import type { Signer } from "../trust/signer.js";
import { sourcesDetails } from "../version/composed-version.js";
import type { WritingSession } from "../version/writing-session.js";
import type { Backup } from "./back-up-changes.js";
import type { Decided, RollbackCaller } from "./decided.js";
import type { InstalledAside } from "./install-aside.js";
import { liveChange } from "./live-steps.js";
import { migrateAside } from "./migrate-aside.js";
import { type Restored, restoreTree } from "./restore-tree.js";
import { statePatternsOf } from "./state-patterns.js";
import type { StepLog } from "./step-log.js";

/** A rollback that is being carried out. */
export interface Carrying {
  readonly session: WritingSession;
  readonly caller: RollbackCaller;
  readonly decided: Decided;
  readonly steps: StepLog;
}

/** What was made ready for the commit point. */
export interface Ready {
  readonly capture: OpenedCapture | undefined;
  readonly installed: InstalledAside | undefined;
  readonly backup: Backup | undefined;
  readonly deployment: PlannedSwitch | undefined;
}

/** How commands run in it. */
export const commandContext = ({ env, onOutput, shells }: RollbackCaller) => ({
  env,
  onOutput,
  startShell: shells?.usual,
});

/** Undefined where nothing of the running agent is touched. */
function live({ session, caller, decided, steps }: Carrying, signer: Signer, ready: Ready) {
  const { capture, installed, deployment } = ready;
  const { prepared, request, plan } = decided;
  const context = commandContext(caller);
  const { before, after, startAgain, beside, saveState, migration, putBack } = prepared;
  const touches = (["stop_agent", "start_agent", "restore_data"] as const).some((type) => steps.step(type));
  const link = deployment?.link ?? undefined;
  if (!touches && !installed && !putBack && !saveState && !link) return undefined;
  const work = {
    before,
    after,
    startAgain,
    beside,
    capture,
    installed,
    putBack,
    link,
    emergency: request.type === "emergency",
    force: request.force || request.type === "emergency",
    saveState,
    patterns: statePatternsOf(session.agent.config, prepared.config),
    verifyBackup: plan.conditions.some((each) => each.type === "backup_verification" && each.required),
    migrate:
      migration &&
      ((folder: string, timeoutMs: number, seen: SeenState) => {
        const command = { ...migration.command, timeoutMs };
        const patterns = statePatternsOf(session.agent.config, prepared.config);
        return migrateAside(session, { ...migration, command, patterns, seen }, folder, context);
      }),
    signer,
  };
  return liveChange(session, work, steps, context);
}

/** Puts the target in place, of what was made ready: the commit point is passed in it. */
export async function restoreTarget(carrying: Carrying, signer: Signer, ready: Ready): Promise<Restored> {
  const { session, decided, steps } = carrying;
  const { capture, backup, deployment } = ready;
  const { ground, minted, telling, prepared, plan } = decided;
  const made = minted && {
    ...minted,
    description: telling.subject,
    capture: capture && { commit: await commitOf(session, capture.ref), digest: capture.digest },
  };
  return restoreTree(
    session,
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
        state: prepared.saveState ? stateBackupRef(session.id) : null,
      },
      files: new Map([["plan.json", Buffer.from(`${JSON.stringify(plan)}\n`)]]),
      saved: backup?.saved ?? new Set(),
      live: await live(carrying, signer, ready),
      requireTime: () => steps.requireTime(),
    },
    signer,
  );
}

const commitOf = async ({ reader }: WritingSession, ref: string): Promise<string> =>
  (await reader.find(`${ref}^{commit}`))?.id ?? "";
