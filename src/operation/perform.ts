import path from "node:path";
import { KaiError } from "../error.js";
import { type RefChange, RefTransactions } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { makeFolder, syncFolder } from "../system/durable-file.js";
import type { FileLock } from "../system/file-lock.js";
import type { StagedWorktree } from "./apply-worktree.js";
import { type BuiltEntry, buildEntry } from "./build-entry.js";
import { LOG_REF, NOTES_REF } from "./entry.js";
import { requireSameIndex, stageIndex } from "./git-index.js";
import { type HeldIndex, holdIndex } from "./hold-index.js";
import {
  appendRecord,
  type BeginRecord,
  beginJournal,
  type Journal,
  type PreparedRecord,
  removeJournal,
} from "./journal.js";
import { kaiFolderOf } from "./kai-folder.js";
import { leftToRecovery } from "./left-to-recovery.js";
import { moveStaleLocksAside } from "./move-stale-locks-aside.js";
import type { EntrySigner, Operation, PerformedOperation } from "./operation.js";
import { dropPending, pendingRefs } from "./pending.js";
import { finishProjection } from "./project.js";
import { readRef } from "./read-ref.js";
import { stageWorktree } from "./stage-worktree.js";
import { removeStaging, stagingFolderOf } from "./staging-folder.js";
import { syncObjectFolders } from "./sync-object-folders.js";
import { syncRefFolders } from "./sync-ref-folders.js";
import { bornAt, removeTemporaryFiles } from "./temporary-files.js";
import { writeOperation } from "./write-operation.js";

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
      await attempt.takeBack(cause);
      throw cause;
    }
  }
  try {
    await attempt.project();
  } catch (cause) {
    await attempt.leaveToRecovery();
    if (cause instanceof KaiError && cause.code === "E114") throw cause;
    throw leftToRecovery(`${operation.subject} is done, but not all of it is in place yet`, cause);
  }
  return { id: operation.id, seq: built.entry.seq, entry: built.commit.id, at: built.at };
}

class Attempt {
  readonly #repository: Repository;
  readonly #inherit: readonly number[];
  readonly #operation: Operation;
  readonly #signer: EntrySigner;
  readonly #built: BuiltEntry;
  // Both begin while the objects are written.
  readonly #refs: RefTransactions;
  readonly #log: RefTransactions;
  #journal: Pick<Journal, "file" | "begin"> | undefined;
  #staged: StagedWorktree | undefined;
  #index: HeldIndex | undefined;
  #handingOver = false;
  #atCommitPoint = false;

  constructor(repository: Repository, lock: FileLock, operation: Operation, signer: EntrySigner, built: BuiltEntry) {
    this.#repository = repository;
    this.#inherit = [lock.descriptor];
    this.#operation = operation;
    this.#signer = signer;
    this.#built = built;
    this.#refs = new RefTransactions(repository, this.#inherit);
    this.#log = new RefTransactions(repository, this.#inherit);
  }

  async prepare(): Promise<void> {
    const { id, kind, changes, held, note, live } = this.#operation;
    const inWorktree = this.#inWorktree;
    const refs = [...changes, ...held].map((change) => change.ref);
    const begin: BeginRecord = {
      step: "begin",
      operation: id,
      kind,
      refs: note === undefined ? refs : [...refs, NOTES_REF],
      commonDir: this.#repository.commonDir,
      indexOf: inWorktree ? this.#repository.gitDir : null,
      workTree: this.#repository.workTree ?? null,
      agents: live ? { before: live.before, after: live.after } : null,
    };
    this.#journal = { file: await beginJournal(kaiFolderOf(this.#repository).journal, begin), begin };
    const noted = await writeOperation(this.#repository, this.#operation, this.#built, this.#signer, this.#inherit);
    // The names of all objects last before any ref says them.
    await syncObjectFolders(this.#repository);
    const kept = pendingRefs(this.#operation, this.#built.commit.id);
    await this.#refs.run(kept);
    // Before the index is read: what a user stages from here on would not be in the new one.
    if (inWorktree) this.#index = await holdIndex(this.#repository, kaiFolderOf(this.#repository).staging, id);
    await this.#stage();
    await this.#handOver();
    // What was only kept for the time being is let go of by the very transaction that makes the real refs.
    const dropped = kept.map(({ ref, new: kept }) => ({ ref, old: kept, new: null }));
    const all: RefChange[] = [...changes, ...held, ...(noted ? [noted.change, noted.dropped] : []), ...dropped];
    await this.#refs.prepare(all);
    const record: PreparedRecord = {
      step: "prepared",
      log: { old: this.#operation.log?.head ?? null, new: this.#built.commit.id },
      refs: noted ? [...changes, noted.change] : [...changes],
      note: noted ? { commit: note?.commit ?? "", text: noted.added } : null,
    };
    await appendRecord(this.#journal.file, record);
    this.#operation.requireTime?.();
  }

  /** Whether files of the working tree, or git's index, are replaced. */
  get #inWorktree(): boolean {
    const { worktree, index, live } = this.#operation;
    return this.#repository.workTree !== undefined && ((worktree ?? index) !== undefined || live?.inWorkTree === true);
  }

  async #stage(): Promise<void> {
    const { worktree, index, live, id } = this.#operation;
    const { gitDir } = this.#repository;
    if ((worktree ?? index ?? live) === undefined) return;
    const workTree = this.#inWorktree ? this.#repository.workTree : undefined;
    const folder = await stagingFolderOf(workTree, kaiFolderOf(this.#repository).staging, id);
    this.#staged = { folder, gitDir, workTree };
    if (workTree !== undefined && worktree) {
      await stageWorktree({ ...this.#repository, workTree }, worktree, folder, this.#inherit);
    } else if (workTree !== undefined && index) {
      await requireSameIndex(gitDir, index.seen);
      await stageIndex(folder, index.path);
    } else {
      await makeFolder(folder);
      await syncFolder(path.dirname(folder));
    }
    await live?.stage(folder);
  }

  /** As late as possible: all that can be prepared while the agent runs has been. */
  async #handOver(): Promise<void> {
    const { live } = this.#operation;
    if (live === undefined || this.#staged === undefined || this.#journal === undefined) return;
    await appendRecord(this.#journal.file, { step: "handing-over" });
    this.#handingOver = true;
    await live.handOver(this.#staged.folder);
  }

  /** The one moment: before it nothing happened, after it all of it did. */
  async commitPoint(): Promise<void> {
    this.#atCommitPoint = true;
    const change = { ref: LOG_REF, old: this.#operation.log?.head ?? null, new: this.#built.commit.id };
    await this.#log.run([change]);
  }

  /** Whether the log has our entry, after a failure that may have come once it did. E114 where nobody can tell. */
  async hasHappened(): Promise<boolean> {
    if (!this.#atCommitPoint) return false;
    try {
      return (await readRef(this.#repository, LOG_REF)) === this.#built.commit.id;
    } catch (cause) {
      await this.leaveToRecovery();
      throw leftToRecovery(`It is not known whether ${this.#operation.subject} was done`, cause);
    }
  }

  async project(): Promise<void> {
    await this.#log.close();
    await syncRefFolders(this.#repository, [LOG_REF]);
    await this.#refs.commit();
    await syncRefFolders(this.#repository, this.#refsLocked);
    await finishProjection(this.#repository, {
      staged: this.#staged,
      journal: this.#journal?.file,
      index: this.#index,
      inherit: this.#inherit,
      settle: this.#handingOver ? async (switched) => this.#operation.live?.settle(switched) : undefined,
    });
  }

  /** That their locks went has to last before the journal goes, which tells whose they were. */
  get #refsLocked(): string[] {
    const { changes, held } = this.#operation;
    return [...changes, ...held].map((change) => change.ref).concat(NOTES_REF);
  }

  /** Leaves the repository as it was; what cannot be taken back now (a full disk) is left to recovery. */
  async takeBack(cause: unknown): Promise<void> {
    const { gitDir } = this.#repository;
    const workTree = this.#staged?.workTree;
    await this.#letGo();
    await this.#index?.release().catch(() => {});
    try {
      if (this.#staged !== undefined) await removeStaging(this.#staged.folder, kaiFolderOf(this.#repository).trash);
      if (this.#journal === undefined) return;
      // A git child that was killed left its locks; one that met somebody else's lock let go of its own.
      const met = cause instanceof KaiError && cause.code === "E113";
      const worktree = workTree === undefined ? undefined : { gitDir, workTree };
      if (!met) await moveStaleLocksAside(this.#repository, this.#journal, worktree);
      await dropPending(this.#repository, this.#operation.id);
      await syncRefFolders(this.#repository, this.#refsLocked);
      await removeTemporaryFiles(this.#repository, await bornAt(this.#journal.file));
      if (this.#handingOver) await this.#operation.live?.takeBack();
      await removeJournal(this.#journal.file);
    } catch {
      // The journal stays, and the next writing command finishes this.
    }
  }

  /** Lets go of the refs' locks; the index stays held, because it does not agree with the branch yet. */
  async leaveToRecovery(): Promise<void> {
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    await Promise.all([this.#refs.abort(), this.#log.close()]);
  }
}
