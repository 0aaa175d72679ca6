import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { commitNotes, type FoundNote, noteWith, readNote } from "../git/notes.js";
import { ObjectReader } from "../git/object-reader.js";
import { type RefChange, updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { gitFailure, tryGit } from "../git/run-git.js";
import type { StopOutcome } from "../system/agent-process.js";
import { emptyTrash } from "../system/discard-folder.js";
import type { FileLock } from "../system/file-lock.js";
import { endCommandsOf, endMarked } from "../system/marked-processes.js";
import { applyLinks, listStagedLinks, listSwitchedSince } from "./apply-links.js";
import { CURRENT_REF, LOG_REF, NOTES_REF } from "./entry.js";
import { findWorktree } from "./find-worktree.js";
import type { HeldRoots } from "./held-roots.js";
import { holdIndex } from "./hold-index.js";
import { type Journal, listJournals, type PreparedRecord, removeJournal } from "./journal.js";
import { type KaiFolder, kaiFolderOf } from "./kai-folder.js";
import { keptFolder } from "./kept-outputs.js";
import { type KeptState, listKeptState } from "./kept-state.js";
import { NO_AGENTS } from "./live-change.js";
import { moveStaleLocksAside } from "./move-stale-locks-aside.js";
import { dropOrphans, dropPending, pendingUnder } from "./pending.js";
import { finishProjection } from "./project.js";
import { readRef } from "./read-ref.js";
import { type SettledAgents, settleAgents } from "./settle-agents.js";
import { findStagingFolder, removeStaging } from "./staging-folder.js";
import { syncRefFolders } from "./sync-ref-folders.js";
import { bornAt, removeTemporaryFiles } from "./temporary-files.js";

export interface Recovered {
  readonly operation: string;
  readonly kind: string;
  /** `completed`: it had happened, and now all of it is in place. `undone`: it had not, and nothing of it is left. */
  readonly outcome: "completed" | "undone";
  /** Refs found at somebody else's value; that value is kept under refs/kai/conflict. */
  readonly conflicts: readonly string[];
  /** What became of starting the agent that is to run; null where the operation had touched none. */
  readonly agent: SettledAgents["started"];
  /** What became of ending the agent of another version, which is to run no more; null where none ran. */
  readonly ended: StopOutcome | null;
  /** State that was written while it was interrupted, and that its own replaced. */
  readonly replaced: readonly KeptState[];
}

/**
 * Ends every interrupted operation, the oldest first: where the log has its entry the rest is put in place, else what was
 * prepared is taken away. Running it again changes nothing. E113, E114 or E115 where it must not go on.
 */
export async function recover(repository: Repository, lock: FileLock, roots: HeldRoots): Promise<Recovered[]> {
  const folder = kaiFolderOf(repository);
  const recovered: Recovered[] = [];
  for (const journal of await listJournals(folder.journal)) {
    recovered.push(await recoverOne(repository, journal, roots, [lock.descriptor]));
  }
  await sweepUp(repository, folder);
  const conflicts = recovered.flatMap((each) => each.conflicts);
  if (conflicts.length > 0) throw refConflict(conflicts);
  return recovered;
}

async function recoverOne(
  repository: Repository,
  journal: Journal,
  roots: HeldRoots,
  inherit: readonly number[],
): Promise<Recovered> {
  const { begin, prepared } = journal;
  const identity = { operation: begin.operation, kind: begin.kind };
  const worktree = await findWorktree(repository, begin);
  const { staging, trash, replaced } = kaiFolderOf(repository);
  const kept = keptFolder(replaced, begin.operation);
  // In a copy of the repository they are not its own. A stop command that goes on would end the agent that is started here.
  const isOurs = begin.commonDir === repository.commonDir;
  if (isOurs) await endCommandsOf(begin.operation);
  const folder = await findStagingFolder(worktree?.workTree, staging, begin.operation);
  if (folder !== undefined) for (const link of await listStagedLinks(folder)) await roots.hold(path.dirname(link));
  await moveStaleLocksAside(repository, journal, worktree);
  await removeBackupLock(repository, `${begin.operation}-state`);
  await removeTemporaryFiles(repository, await bornAt(journal.file));
  const logged = prepared !== undefined && (journal.done || (await isLogged(repository, prepared)));
  const conflicts = logged && !journal.done ? await redoRefs(repository, begin.operation, prepared, inherit) : [];
  await dropPending(repository, begin.operation);
  await syncRefFolders(repository, [...begin.refs, LOG_REF]);
  // Where somebody else moved the branch, index and files go with their commit, not with ours.
  const theirs = conflicts.some((ref) => ref.startsWith("refs/heads/"));
  const hasPlace = worktree !== undefined || begin.indexOf === null;
  let agents: SettledAgents = { started: null, ended: null };
  const settle = async (switched: boolean) => {
    if (begin.agents === null || !isOurs) return;
    const { before, after } = begin.agents;
    // One that was not touched yet, and ran, may have died all the same: where the power went.
    if (!journal.handingOver && before.ran !== true) return;
    // Whoever else has switched a deployment has started and ended what had to be.
    const side = switched ? (logged ? after : before) : NO_AGENTS;
    // One that was well does not go for one that is not.
    agents = await settleAgents(side, repository.callerEnv, logged);
  };
  if (logged && !journal.done && !theirs && hasPlace && folder !== undefined) {
    const index = worktree && (await holdIndex(worktree, staging, begin.operation));
    const staged = { folder, gitDir: worktree?.gitDir ?? repository.gitDir, workTree: worktree?.workTree };
    try {
      await finishProjection(repository, { staged, journal: journal.file, index, inherit, kept, settle });
    } finally {
      await index?.release();
    }
  } else {
    // A deployment is not the branch's: its link goes with the log.
    const apply = async (staged: string) => (await applyLinks(staged)).links;
    const left = folder === undefined ? [] : await (logged ? apply : listSwitchedSince)(folder);
    if (!journal.done) await settle(left.length === 0);
    if (folder !== undefined) await removeStaging(folder, trash);
    await removeJournal(journal.file);
  }
  const { started: agent, ended } = agents;
  const outcome = logged ? "completed" : "undone";
  return { ...identity, outcome, conflicts, agent, ended, replaced: listKeptState(kept) };
}

async function isLogged(repository: Repository, prepared: PreparedRecord): Promise<boolean> {
  const head = await readRef(repository, LOG_REF);
  if (head === null || head === prepared.log.old) return false;
  if (head === prepared.log.new) return true;
  const args = ["merge-base", "--is-ancestor", prepared.log.new, head];
  const result = await tryGit(repository, args);
  if (result.exitCode === 0) return true;
  // An entry that is not here is in no log; any other trouble of git's is no answer.
  const known = await tryGit(repository, ["cat-file", "-e", prepared.log.new]);
  if (result.exitCode !== 1 && known.exitCode === 0) throw gitFailure(args, result);
  return false;
}

async function redoRefs(
  repository: Repository,
  operation: string,
  prepared: PreparedRecord,
  inherit: readonly number[],
): Promise<string[]> {
  const conflicts: string[] = [];
  const keeping: RefChange[] = [];
  const changes: RefChange[] = [];
  for (const change of prepared.refs) {
    const now = await readRef(repository, change.ref);
    if (now === change.new) continue;
    if (now === change.old) {
      changes.push(change);
    } else if (change.ref === NOTES_REF) {
      changes.push(...(await renewNote(repository, operation, prepared, now, inherit)));
    } else {
      conflicts.push(change.ref);
      const kept = conflictRef(operation, change.ref);
      // An earlier recovery that was interrupted may have kept it already.
      const before = now === null ? null : await readRef(repository, kept);
      if (before !== now) keeping.push({ ref: kept, old: before, new: now });
      // `current` says what the log says; a branch or a version's tag stays as its owner put it.
      if (change.ref === CURRENT_REF) changes.push({ ref: change.ref, old: now, new: change.new });
    }
  }
  // What was found first: once `current` has moved, nothing else leads to it.
  for (const some of [keeping, changes]) {
    await updateRefs(repository, some, { inherit });
    await syncRefFolders(
      repository,
      some.map((change) => change.ref),
    );
  }
  return conflicts;
}

/** Somebody else added a note meanwhile: ours goes on top of it. */
async function renewNote(
  repository: Repository,
  operation: string,
  prepared: PreparedRecord,
  now: string | null,
  inherit: readonly number[],
): Promise<RefChange[]> {
  if (prepared.note === null) return [];
  const { commit, text } = prepared.note;
  const { text: before } = await noteOn(repository, commit);
  if (before.includes(text)) return [];
  const made = await commitNotes(
    repository,
    {
      ref: `${pendingUnder(operation)}notes`,
      parent: now,
      who: { name: "git kai-version", email: "recover@localhost" },
      at: new Date(),
      message: "recover a note\n",
      notes: new Map([[commit, noteWith(before, text)]]),
    },
    inherit,
  );
  return [{ ref: NOTES_REF, old: now, new: made }];
}

async function noteOn(repository: Repository, commit: string): Promise<FoundNote> {
  const reader = new ObjectReader(repository);
  try {
    return await readNote(reader, NOTES_REF, commit);
  } finally {
    reader.close();
  }
}

const conflictRef = (operation: string, ref: string): string =>
  `refs/kai/conflict/${operation}/${ref.replace(/^refs\//, "")}`;

/** Removes what belongs to no operation any more: every journal has been dealt with. */
async function sweepUp(repository: Repository, { root, journal, staging, cache, trash }: KaiFolder): Promise<void> {
  await emptyTrash(trash);
  await dropOrphans(repository);
  const left: string[] = [];
  for (const folder of [journal, staging]) {
    for (const name of await readdir(folder).catch(() => [])) left.push(path.join(folder, name));
  }
  for (const name of await readdir(root)) if (isAside(name)) left.push(path.join(root, name));
  // Whose writer is at work can do without it: nothing is lost but time.
  for (const name of await readdir(cache)) if (isAside(name)) await rm(path.join(cache, name), { force: true });
  if (left.length === 0) return;
  const births = await Promise.all(left.map(bornAt));
  await removeTemporaryFiles(repository, Math.min(...births));
  for (const file of left) {
    // No journal names a backup's ref, which is of this one operation.
    const backup = /^backup-(?<ref>[0-9A-Z]{26}(?:-state)?)$/.exec(path.basename(file))?.groups?.["ref"];
    if (backup) await removeBackupLock(repository, backup);
    // A command that was run in it lives on when whoever started it is killed.
    await endMarked(file, 0);
    await rm(file, { recursive: true, force: true });
  }
}

/** Whether it was to be renamed into place once it was whole. */
const isAside = (name: string): boolean => /\.new-\d+$/.test(name);

/** A backup's ref is of one operation, so that nobody else ever locks it. */
const removeBackupLock = (repository: Repository, name: string): Promise<void> =>
  rm(path.join(repository.commonDir, `refs/kai/backup/${name}.lock`), { force: true });

function refConflict(refs: readonly string[]): KaiError {
  return new KaiError("E114", `Somebody else moved ${refs.join(", ")} while an operation was interrupted.`, {
    hint: "What was found is kept under refs/kai/conflict: `git for-each-ref refs/kai/conflict` shows it.",
    data: { conflicts: refs },
  });
}
