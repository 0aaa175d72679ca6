import { KaiError } from "../error.js";
import { diffTrees } from "../git/tree-diff.js";
import type { LoggedEntry } from "../operation/entry.js";
import { stateBackupRef } from "../state/back-up-state.js";
import { configuredRoot } from "../version/deployment-place.js";
import { type History, type KnownVersion, versionInForce } from "../version/history.js";
import { requireMovableBranch } from "../version/movable-branch.js";
import { findVersionConfig } from "../version/version-config.js";
import { requireCommit } from "../version/work-tree-status.js";
import type { WritingSession } from "../version/writing-session.js";
import { findDeployedBefore } from "./deployed-before.js";
import { isStateGone } from "./find-target.js";
import { dirtyFiles, type Ground, kindsOfChanges, wouldOverwrite } from "./survey.js";

/** What is committed makes the branch another one, which undo refuses as well. */
const STASH = "`git stash` puts them away, and `git stash pop` brings them back when it is undone.";

/**
 * Where the operation began that is taken back: its files where it moved some, and the state that it saved before. E102 over
 * changes that are not committed, but in a dry run; E125 where the branch has changed since.
 */
export async function surveyUndone(
  session: WritingSession,
  entry: LoggedEntry,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Ground> {
  const { agent, reader, history } = session;
  const { repository, config } = agent;
  const status = await session.status;
  const head = requireCommit(status);
  const version = versionBefore(history, entry);
  const tree = async (commit: string) => (await reader.find(`${commit}^{tree}`))?.id ?? "";
  const fromTree = await tree(head);
  const [made, previous] = [entry.details["commit"], entry.details["previousHead"]];
  const movedFiles = typeof made === "string" && typeof previous === "string";
  const saved = await reader.find(`${stateBackupRef(entry.id)}^{commit}`);
  // Where no files are moved nothing becomes of them.
  const dirty = movedFiles ? dirtyFiles(session, status) : [];
  // A plan says so as a risk.
  if (dirty.length > 0 && !dryRun) throw wouldOverwrite(dirty, STASH);
  if (movedFiles && (await tree(made)) !== fromTree) {
    throw new KaiError("E125", `The branch has changed since: ${entry.subject}.`, {
      hint: "Undoing it would throw those changes away. `git kai-version rollback VERSION` says so and goes on.",
    });
  }
  const commit = movedFiles ? previous : head;
  const toTree = movedFiles ? await tree(previous) : fromTree;
  const changes = fromTree === toTree ? [] : await diffTrees(repository, fromTree, toTree);
  const from = versionInForce(history);
  const inForce = (from && (await findVersionConfig(reader, from.commit))) ?? config;
  return {
    from,
    target: {
      name: entry.id,
      version: version ?? undefined,
      onTop: undefined,
      tree: toTree,
      commit,
      config: await findVersionConfig(reader, commit),
      capture: saved && { ref: stateBackupRef(entry.id), digest: null, at: new Date(entry.at) },
      stateIsGone: isStateGone(entry, saved),
    },
    version,
    status,
    head,
    branch: movedFiles ? await requireMovableBranch(repository, status) : status.branch,
    fromTree,
    toTree,
    changes,
    ...kindsOfChanges(config, changes),
    undone: movedFiles ? [head] : [],
    dirty,
    compatibility: null,
    migration: [],
    depth: 0,
    config: inForce,
    deployed: await findDeployedBefore(session, entry, {
      configured: await configuredRoot(repository, inForce),
      holds: !dryRun,
    }),
    withState: saved !== undefined,
    stateAlone: false,
    takesBack: true,
  };
}

/** What was in force before; null where nothing was. */
function versionBefore(history: History, { current: { before } }: LoggedEntry): KnownVersion | null {
  if (before === null) return null;
  const version = history.versionTagged(before.tag);
  if (version) return version;
  throw new KaiError("E101", `The tag of ${before.version}, which was in force before, is not here.`, {
    hint: "`git kai-version verify --all` shows what is missing.",
  });
}
