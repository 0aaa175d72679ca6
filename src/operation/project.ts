import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { readablePath } from "../system/path-bytes.js";
import { applyLinks, type LeftLinks } from "./apply-links.js";
import { applyOutputs } from "./apply-outputs.js";
import { applyState } from "./apply-state.js";
import { applyWorktree, type StagedWorktree } from "./apply-worktree.js";
import type { HeldIndex } from "./hold-index.js";
import { appendRecord, removeJournal } from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";
import { listKeptState } from "./kept-state.js";
import { removeStaging } from "./staging-folder.js";

export interface Projection {
  readonly staged: StagedWorktree | undefined;
  readonly journal: string | undefined;
  readonly index: HeldIndex | undefined;
  readonly inherit: readonly number[];
  /** Where state is kept that was written since a run before was interrupted; undefined in the first run. */
  readonly kept?: string | undefined;
  /** Sees to it that the right agent runs on what is in place now, as `LiveChange` says; never fails. */
  readonly settle?: ((switched: boolean) => Promise<void>) | undefined;
}

/** What follows once the refs are moved: working tree, index, the end of the journal. Repeatable at every step. */
export async function finishProjection(repository: Repository, projection: Projection): Promise<void> {
  const { staged } = projection;
  let conflicts: readonly string[] = [];
  let left: LeftLinks = { links: [], logs: [] };
  if (staged !== undefined) {
    conflicts = [
      ...(await applyWorktree(repository, staged, projection.inherit)),
      ...(await applyOutputs(staged, kaiFolderOf(repository).replaced)),
      ...(await applyState(staged, repository.env, projection.inherit, projection.kept)),
    ];
    left = await applyLinks(staged.folder);
  }
  await projection.index?.release();
  await projection.settle?.(left.links.length === 0);
  if (projection.journal !== undefined) await appendRecord(projection.journal, { step: "done" });
  if (staged !== undefined) await removeStaging(staged.folder, kaiFolderOf(repository).trash);
  if (projection.journal !== undefined) await removeJournal(projection.journal);
  if (conflicts.length > 0) throw conflictError(conflicts, projection.kept);
  if (left.links.length > 0) throw linkConflict(left.links);
  if (left.logs.length > 0) throw logConflict(left.logs);
}

function conflictError(paths: readonly string[], kept: string | undefined): KaiError {
  const written =
    kept === undefined || listKeptState(kept).length === 0
      ? ""
      : ` State that was written meanwhile is kept in ${kept}.`;
  const shown = paths.slice(0, 5).map(readablePath).join(", ");
  return new KaiError("E114", `Files were changed by somebody else meanwhile and were left as they are: ${shown}`, {
    hint: `\`git status\` shows them; \`git checkout -- PATH\` takes the version's file.${written}`,
    data: { paths: paths.map(readablePath) },
  });
}

const linkConflict = (links: readonly string[]): KaiError =>
  new KaiError(
    "E114",
    `Somebody else changed what should have been switched, and it was left as it is: ${links.join(", ")}`,
    {
      hint: "`ls -l` shows where it leads. What ran before was not ended; `git kai-version deploy VERSION` switches it.",
      data: { paths: links },
    },
  );

const logConflict = (logs: readonly string[]): KaiError =>
  new KaiError("E114", `All is switched, but it could not be told in ${logs.join(", ")}: something else is there.`, {
    hint: "Move that away; `git kai-version log` has what was switched when.",
    data: { paths: logs },
  });
