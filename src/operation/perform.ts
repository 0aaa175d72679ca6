import { KaiError } from "../error.js";
import { commitNotes, findNote } from "../git/notes.js";
import { PreparedRefs, type RefChange, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import { writeObjects } from "../git/write-objects.js";
import type { FileLock } from "../system/file-lock.js";
import { type BuiltEntry, buildEntry } from "./build-entry.js";
import { LOG_REF, NOTES_REF } from "./entry.js";
import { type HeldIndex, holdIndex } from "./hold-index.js";
import { appendRecord, beginJournal, type PreparedRecord, removeJournal } from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";
import type { EntrySigner, Operation, PerformedOperation } from "./operation.js";
import { pendingRefs, pendingUnder } from "./pending.js";
import { finishProjection } from "./project.js";
import { removeStaging, stageIndex, stageWorktree, stagingFolderOf } from "./stage-worktree.js";
import { syncRefFolders } from "./sync-ref-folders.js";

/**
 * Carries out an operation under the lock: all of it, or nothing. Until the log has advanced a failure takes everything
 * back; afterwards it happened, and what could not be put in place is left to `recover` (E114).
 */
export async function perform(
  repository: Repository,
  lock: FileLock,
  operation: Operation,
  signer: EntrySigner,
): Promise<PerformedOperation> {
  const built = await buildEntry(operation, signer, repository.objectFormat);
  const attempt = new Attempt(repository, lock, operation, signer, built);
  try {
    await attempt.prepare();
    await attempt.commitPoint();
  } catch (cause) {
    // git may have moved the log and still ended badly; what the log says is what happened.
    if (!(await attempt.hasHappened())) {
      await attempt.takeBack();
      throw cause;
    }
  }
  try {
    await attempt.project();
  } catch (cause) {
    throw new KaiError(
      "E114",
      `${operation.subject} is done, but not all of it is in place yet: ${(cause as Error).message}`,
      {
        hint: "`git kai-version recover` puts the rest in place.",
        cause,
      },
    );
  }
  return { id: operation.id, seq: built.entry.seq, entry: built.commit.id, at: built.at };
}

class Attempt {
  readonly #repository: Repository;
  readonly #inherit: readonly number[];
  readonly #operation: Operation;
  readonly #signer: EntrySigner;
  readonly #built: BuiltEntry;
  #journal: string | undefined;
  #staging: string | undefined;
  #prepared: PreparedRefs | undefined;
  #index: HeldIndex | undefined;

  constructor(repository: Repository, lock: FileLock, operation: Operation, signer: EntrySigner, built: BuiltEntry) {
    this.#repository = repository;
    this.#inherit = [lock.descriptor];
    this.#operation = operation;
    this.#signer = signer;
    this.#built = built;
  }

  async prepare(): Promise<void> {
    const { id, kind, changes, held, note, worktree, index } = this.#operation;
    const changesIndex = worktree !== undefined || index !== undefined;
    const refs = [...changes, ...held].map((change) => change.ref);
    this.#journal = await beginJournal(kaiFolderOf(this.#repository).journal, {
      step: "begin",
      operation: id,
      kind,
      refs: note === undefined ? refs : [...refs, NOTES_REF],
      indexOf: changesIndex ? this.#repository.gitDir : null,
      workTree: this.#repository.workTree ?? null,
    });
    await writeObjects(this.#repository, [...this.#operation.objects, ...this.#built.objects], this.#inherit);
    const kept = pendingRefs(this.#operation, this.#built.commit.id);
    await updateRefs(this.#repository, kept, { inherit: this.#inherit });
    const noted = note === undefined ? undefined : await this.#writeNote(note);
    await this.#stage();
    if (changesIndex) this.#index = await holdIndex(this.#repository, id);
    // What was only kept for the time being is let go of by the very transaction that makes the real refs.
    const dropped = kept.map(({ ref, new: kept }) => ({ ref, old: kept, new: null }));
    const all: RefChange[] = [...changes, ...held, ...(noted ? [noted.change, noted.dropped] : []), ...dropped];
    this.#prepared = await PreparedRefs.prepare(this.#repository, all, this.#inherit);
    const record: PreparedRecord = {
      step: "prepared",
      log: { old: this.#operation.log?.head ?? null, new: this.#built.commit.id },
      refs: noted ? [...changes, noted.change] : [...changes],
      note: noted ? { commit: note?.commit ?? "", text: noted.added } : null,
    };
    await appendRecord(this.#journal, record);
  }

  async #writeNote(note: { commit: string; lines: readonly string[] }) {
    const repository = this.#repository;
    const ref = `${pendingUnder(this.#operation.id)}notes`;
    const parent = await tryGit(repository, ["rev-parse", "--verify", "--quiet", NOTES_REF]);
    const old = parent.exitCode === 0 ? parent.stdout.toString().trim() : null;
    const blob = old === null ? undefined : await findNote(repository, NOTES_REF, note.commit);
    const before = blob === undefined ? "" : (await runGit(repository, ["cat-file", "blob", blob])).toString();
    const added = note.lines.map((line) => `${line}\n`).join("");
    const made = await commitNotes(
      repository,
      {
        ref,
        parent: old,
        who: this.#signer,
        at: this.#built.at,
        message: `${this.#operation.subject}\n`,
        notes: new Map([[note.commit, before + added]]),
      },
      this.#inherit,
    );
    return {
      added,
      change: { ref: NOTES_REF, old, new: made } satisfies RefChange,
      dropped: { ref, old: made, new: null } satisfies RefChange,
    };
  }

  async #stage(): Promise<void> {
    const { worktree, index, id } = this.#operation;
    const { workTree } = this.#repository;
    if (workTree === undefined || (worktree === undefined && index === undefined)) return;
    const repository = { ...this.#repository, workTree };
    this.#staging = await stagingFolderOf(repository, kaiFolderOf(repository).staging, id);
    if (worktree) await stageWorktree(repository, worktree, this.#staging, this.#inherit);
    else if (index) await stageIndex(repository, this.#staging, index);
  }

  /** The one moment: before it nothing happened, after it all of it did. */
  async commitPoint(): Promise<void> {
    const change = { ref: LOG_REF, old: this.#operation.log?.head ?? null, new: this.#built.commit.id };
    await updateRefs(this.#repository, [change], { inherit: this.#inherit });
  }

  async hasHappened(): Promise<boolean> {
    const head = await tryGit(this.#repository, ["rev-parse", "--verify", "--quiet", LOG_REF]);
    return head.stdout.toString().trim() === this.#built.commit.id;
  }

  async project(): Promise<void> {
    await syncRefFolders(this.#repository, [LOG_REF]);
    await this.#prepared?.commit();
    await syncRefFolders(this.#repository, [...this.#operation.changes.map((change) => change.ref), NOTES_REF]);
    await finishProjection(this.#repository, {
      operation: this.#operation.id,
      staging: this.#staging,
      journal: this.#journal,
      index: this.#index,
      inherit: this.#inherit,
    });
  }

  /** Leaves the repository as it was; what cannot be taken back now (a full disk) is left to recovery. */
  async takeBack(): Promise<void> {
    await this.#prepared?.abort().catch(() => {});
    await this.#index?.release().catch(() => {});
    try {
      if (this.#staging !== undefined) await removeStaging(this.#staging);
      await dropPending(this.#repository, this.#operation.id);
      if (this.#journal !== undefined) await removeJournal(this.#journal);
    } catch {
      // The journal stays, and the next writing command finishes this.
    }
  }
}

/** Lets go of what was kept for an operation that did not happen. */
export async function dropPending(repository: Repository, operation: string): Promise<void> {
  const listed = await runGit(repository, [
    "for-each-ref",
    "--format=%(refname) %(objectname)",
    pendingUnder(operation),
  ]);
  const changes = listed
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [ref = "", old = ""] = line.split(" ");
      return { ref, old, new: null };
    });
  await updateRefs(repository, changes);
}
