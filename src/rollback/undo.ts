import { KaiError } from "../error.js";
import type { LoggedEntry } from "../operation/entry.js";
import { readablePath } from "../system/path-bytes.js";
import type { History } from "../version/history.js";
import { liveStateOf } from "../version/live-state.js";
import { requireMovableBranch } from "../version/movable-branch.js";
import { validateVersion } from "../version/validate-version.js";
import { requireCommit } from "../version/work-tree-status.js";
import { type Caller, type WritingSession, withWritingSession } from "../version/writing-session.js";
import { restoreTree } from "./restore-tree.js";

export interface UndoOptions {
  /** Id of the operation, or the beginning of it; default: the newest. */
  readonly operation: string | undefined;
  readonly dryRun: boolean;
}

export interface UndoResult {
  readonly operation: string | null;
  /** What was undone. */
  readonly undone: { readonly id: string; readonly kind: string; readonly subject: string };
  readonly from: string | null;
  readonly to: string | null;
  readonly commit: string | null;
  readonly withdrawn: readonly string[];
  readonly restored: readonly string[];
}

/**
 * Takes an operation back by a new one: what was in force before it is in force again, and the files are as they were. A
 * version that it made stays, withdrawn: numbers and tags are never taken back.
 */
export function undo(caller: Caller, options: UndoOptions): Promise<UndoResult> {
  return withWritingSession(caller, { purpose: "undo", untracked: "no" }, async (session) => {
    const entry = findOperation(session.history, options.operation);
    requireUndoable(session.history, entry);
    const ground = await survey(session, entry);
    const { before } = entry.current;
    const version =
      before === null ? null : (session.history.versions.find((each) => each.tagId === before.tag) ?? null);
    if (before !== null && version === null) {
      throw new KaiError("E101", `The tag of ${before.version}, which was in force before, is not here.`, {
        hint: "`git kai-version verify --all` shows what is missing.",
      });
    }
    if (version) await validateVersion(session.agent.repository, session.log, session.history, version);
    // What it made is withdrawn, what it withdrew is back: the very opposite of what the entry says.
    const made = entry.kind === "create" ? [String(entry.details["version"])] : [];
    const withdrawn = [...made, ...entry.restored];
    const restored = entry.withdrawn;
    const told = {
      undone: { id: entry.id, kind: entry.kind, subject: entry.subject },
      from: session.history.current?.version ?? null,
      to: before?.version ?? null,
      withdrawn,
      restored,
    };
    if (options.dryRun) return { operation: null, commit: null, ...told };
    const signer = await session.openSigner("operator");
    const done = await restoreTree(
      session,
      {
        kind: "undo",
        subject: `undo ${entry.subject}`,
        branch: ground.branch,
        head: ground.head,
        fromTree: ground.fromTree,
        toTree: ground.toTree,
        message: `Undo: ${entry.subject}\n\nThis reverts commit ${ground.head}.\n\nKai-Operation: ${session.id}\nKai-Undoes: ${entry.id}`,
        version,
        withdrawn,
        restored,
        details: { undoes: entry.id, from: told.from, to: told.to },
        noteOn: undefined,
        saved: new Set(),
      },
      signer,
    );
    return { operation: session.id, commit: done.commit, ...told };
  });
}

function findOperation(history: History, wanted: string | undefined): LoggedEntry {
  const matches = history.log.filter((entry) => wanted === undefined || entry.id.startsWith(wanted.toUpperCase()));
  const [entry] = matches;
  if (entry && (wanted === undefined || matches.length === 1)) return entry;
  throw new KaiError("E101", entry ? `Several operations begin with ${wanted}.` : `There is no operation ${wanted}.`, {
    hint: "`git kai-version log` lists them with their ids.",
  });
}

function requireUndoable(history: History, entry: LoggedEntry): void {
  if (entry.kind === "init") {
    throw new KaiError("E125", "The founding of the log cannot be undone: everything else stands on it.", {
      hint: "There is no operation before it to go back to.",
    });
  }
  if (entry.current.after?.pointer !== history.current?.pointer) {
    const later = history.log.find((each) => each.current.after?.pointer === history.current?.pointer);
    throw new KaiError("E125", `Another version came into force since: ${later?.subject ?? "a later operation"}.`, {
      hint: "Undo the later operations first, or go back with `git kai-version rollback VERSION`.",
    });
  }
}

/** The trees before and after; the same where the operation left the branch's files alone. */
async function survey(session: WritingSession, entry: LoggedEntry) {
  const { repository, config } = session.agent;
  const status = await session.status;
  const head = requireCommit(status);
  const tree = async (commit: string) => (await session.reader.find(`${commit}^{tree}`))?.id ?? "";
  const fromTree = await tree(head);
  const [made, previous] = [entry.details["commit"], entry.details["previousHead"]];
  const movedFiles = typeof made === "string" && typeof previous === "string";
  if (!movedFiles) return { head, branch: status.branch, fromTree, toTree: fromTree };
  const isLiveState = liveStateOf(config);
  const dirty = status.dirty.filter((name) => !isLiveState(name));
  if (dirty.length > 0) {
    throw new KaiError(
      "E102",
      `Files were changed and not committed: ${dirty.slice(0, 5).map(readablePath).join(", ")}.`,
      {
        hint: "Commit or stash them and undo again.",
      },
    );
  }
  if ((await tree(made)) !== fromTree) {
    throw new KaiError("E125", `The branch has changed since: ${entry.subject}.`, {
      hint: "Undoing it would throw those changes away. `git kai-version rollback VERSION` says so and goes on.",
    });
  }
  return { head, branch: await requireMovableBranch(repository, status), fromTree, toTree: await tree(previous) };
}
