import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import type { LoggedEntry } from "../operation/entry.js";
import { stateBackupRef } from "../state/back-up-state.js";
import { findAsked } from "../version/find-asked.js";
import type { History, KnownVersion } from "../version/history.js";
import { findVersionConfig } from "../version/version-config.js";
import type { RollbackRequest } from "./request.js";
import { shallow } from "./require-whole-range.js";

/** What is gone back to. */
export interface RollbackTarget {
  /** The version's number, or the id of the operation before which things were so. */
  readonly name: string;
  /** The version that the target is; undefined where it is none. */
  readonly version: KnownVersion | undefined;
  /** The version that was in force where its files are not that one's alone; undefined where nothing was, or `version` is it. */
  readonly onTop: KnownVersion | undefined;
  /** Object id of its tree. */
  readonly tree: string;
  readonly commit: string;
  readonly config: AgentConfig | null;
  readonly capture: { readonly ref: string; readonly digest: string | null; readonly at: Date } | undefined;
  /** Whether an operation replaced live state, and what was saved of it is not here any more. */
  readonly stateIsGone: boolean;
}

/** Finds what was asked for. E101 where there is no such version or backup, or it is not fit to go back to. */
export function findTarget(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  request: Pick<RollbackRequest, "to" | "type" | "force" | "unproven" | "recovers" | "dryRun">,
): Promise<RollbackTarget> {
  return request.type === "snapshot"
    ? findBackup(repository, reader, history, request)
    : findVersionTarget(repository, reader, history, request);
}

async function findVersionTarget(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  { to, force, unproven, dryRun }: Pick<RollbackRequest, "to" | "force" | "unproven" | "dryRun">,
): Promise<RollbackTarget> {
  const version = findAsked(history, to);
  // A plan says so as a risk, and of one that was withdrawn as well.
  if (version.type === "foreign" && !unproven && !dryRun) {
    throw new KaiError("E101", `${version.tag} was made by another tool: nothing proves what it holds.`, {
      hint: "`git kai-version verify` says what is known of it; `--unproven` goes back to it all the same.",
    });
  }
  if (version.withdrawn && !force && !dryRun) {
    throw new KaiError("E101", `${version.tag} was withdrawn by a rollback or an undo.`, {
      hint: "`git kai-version log` shows when and by whom; `--force` goes back to it all the same.",
    });
  }
  const tree = await reader.find(`${version.commit}^{tree}`);
  if (tree === undefined) throw notHere(repository, version.tag);
  const ref = `refs/kai/state/${version.tag}`;
  const captured = version.state !== null && (await reader.find(`${ref}^{commit}`)) !== undefined;
  return {
    name: version.number.text,
    version,
    onTop: undefined,
    tree: tree.id,
    commit: version.commit,
    config: await findVersionConfig(reader, version.commit),
    capture: captured ? { ref, digest: version.state, at: version.createdAt ?? new Date(0) } : undefined,
    stateIsGone: false,
  };
}

/** Where an operation began: the commit that the branch was on, or what was saved of its files, and the state saved then. */
async function findBackup(
  repository: Repository,
  reader: ObjectReader,
  history: History,
  { to, recovers }: Pick<RollbackRequest, "to" | "recovers">,
): Promise<RollbackTarget> {
  const entry = findOperation(history, to);
  const head = entry.details["previousHead"];
  if (typeof head !== "string") {
    throw new KaiError("E101", `The operation ${entry.id} (${entry.subject}) moved no files: nothing was saved.`, {
      hint: "`git kai-version log` lists the rollbacks and undos, each of which can be gone back behind.",
    });
  }
  const ref = `refs/kai/backup/${entry.id}`;
  // Whoever recovers wants the version that was in force; edits on top of it stay in the backup.
  const files = recovers === undefined ? await reader.find(`${ref}^{commit}`) : undefined;
  const commit = files?.id ?? head;
  const [tree, before] = [await reader.find(`${commit}^{tree}`), await reader.find(`${head}^{tree}`)];
  if (tree === undefined) throw notHere(repository, `the backup of ${entry.id}`);
  const inForce = entry.current.before;
  const version = history.versions.find((each) => each.tagId === inForce?.tag);
  const its = version && (await reader.find(`${version.commit}^{tree}`));
  const saver = recovers === undefined ? entry : saverOfState(history, entry);
  const state = stateBackupRef(saver.id);
  const saved = await reader.find(`${state}^{commit}`);
  const isVersion = its?.id === tree.id && before?.id === tree.id;
  return {
    name: entry.id,
    version: isVersion ? version : undefined,
    onTop: isVersion ? undefined : version,
    tree: tree.id,
    commit,
    config: await findVersionConfig(reader, commit),
    capture: saved && { ref: state, digest: null, at: new Date(entry.at) },
    stateIsGone: isStateGone(saver, saved),
  };
}

const savesState = ({ details }: LoggedEntry): boolean => typeof details["state"] === "string";

/** What saved the live state that was there before the operation: itself, or the first way out of it that replaced some. */
const saverOfState = ({ log }: History, entry: LoggedEntry): LoggedEntry =>
  savesState(entry)
    ? entry
    : (log.findLast((each) => each.details["recovers"] === entry.id && savesState(each)) ?? entry);

/** Whether its entry says that it saved live state, and that is not here: it went with time, or never was in this clone. */
export const isStateGone = (entry: LoggedEntry, saved: object | undefined): boolean =>
  savesState(entry) && saved === undefined;

/** The operation with this id, or whose id begins so. E101. */
export function findOperation(history: History, wanted: string): LoggedEntry {
  const [entry, ...others] = history.log.filter(({ id }) => id.startsWith(wanted.toUpperCase()));
  if (entry && others.length === 0) return entry;
  throw new KaiError("E101", entry ? `Several operations begin with ${wanted}.` : `There is no operation ${wanted}.`, {
    hint: "`git kai-version log` lists them with their ids.",
  });
}

const notHere = (repository: Repository, what: string): KaiError =>
  repository.shallow
    ? shallow(`the commit of ${what} and what it holds are not in it`)
    : new KaiError("E101", `The commit of ${what} is not in this repository.`, {
        hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
      });
