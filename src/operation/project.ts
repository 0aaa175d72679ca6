import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import { applyLinks } from "./apply-links.js";
import { applyOutputs } from "./apply-outputs.js";
import { applyState } from "./apply-state.js";
import { applyWorktree, type StagedWorktree } from "./apply-worktree.js";
import type { HeldIndex } from "./hold-index.js";
import { appendRecord, removeJournal } from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";
import { removeStaging } from "./staging-folder.js";

export interface Projection {
  readonly staged: StagedWorktree | undefined;
  readonly journal: string | undefined;
  readonly index: HeldIndex | undefined;
  readonly inherit: readonly number[];
  /** Starts the agent on what is in place now; never fails. */
  readonly start?: (() => Promise<void>) | undefined;
}

/** What follows once the refs are moved: working tree, index, the end of the journal. Repeatable at every step. */
export async function finishProjection(repository: Repository, projection: Projection): Promise<void> {
  const { staged } = projection;
  const conflicts: string[] = [];
  if (staged !== undefined) {
    conflicts.push(...(await applyWorktree(repository, staged, projection.inherit)));
    conflicts.push(...(await applyOutputs(staged, kaiFolderOf(repository).replaced)));
    conflicts.push(...(await applyState(staged, repository.env, projection.inherit)));
    conflicts.push(...(await applyLinks(staged.folder)));
  }
  await projection.index?.release();
  await projection.start?.();
  if (projection.journal !== undefined) await appendRecord(projection.journal, { step: "done" });
  if (staged !== undefined) await removeStaging(staged.folder, kaiFolderOf(repository).trash);
  if (projection.journal !== undefined) await removeJournal(projection.journal);
  if (conflicts.length > 0) throw conflictError(conflicts);
}

function conflictError(paths: readonly string[]): KaiError {
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError("E114", `Files were changed by somebody else meanwhile and were left as they are: ${shown}`, {
    hint: "`git status` shows them; `git checkout -- PATH` takes the version's file.",
    data: { paths: paths.map(readablePath) },
  });
}
