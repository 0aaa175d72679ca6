import path from "node:path";
import { type FoundNote, readNote } from "../git/notes.js";
import { NOTES_REF } from "../operation/entry.js";
import type { Capture } from "../state/capture-state.js";
import { readablePath } from "../system/path-bytes.js";
import type { Signer } from "../trust/signer.js";
import { captureLiveState, copyLiveState } from "./capture-live-state.js";
import type { Standstill } from "./copy-standing-still.js";
import { type CreateRequest, type Decision, requireConfig } from "./decide-creation.js";
import { hashTree, type StartedHash, startHash } from "./hash-tree.js";
import { type IncludedChanges, includeChanges } from "./include-changes.js";
import { liveStateOf } from "./live-state.js";
import { type SealedRelease, sealRelease } from "./seal-release.js";
import { checkDescription } from "./tag-text.js";
import type { WritingSession } from "./writing-session.js";

/** A version's objects, signed and not yet named by any ref. */
export interface Release extends SealedRelease {
  /** What the note on the commit held before. */
  readonly note: FoundNote;
  readonly capture: Capture | undefined;
  /** Undefined where there is no state. */
  readonly standstill: Standstill | undefined;
  /** Files of the version, named readably, that are state by kai.yaml: git tracks them, so they are not captured. */
  readonly trackedState: readonly string[];
  /** The commit of changes that were not committed; undefined where there were none, or they were not asked for. */
  readonly included: IncludedChanges | undefined;
}

/** Hashes the version's files, captures the state, and signs record and tags. `scratch` is a folder for the time being, `started` a hash begun before. */
export async function makeRelease(
  session: WritingSession,
  request: CreateRequest,
  decision: Decision,
  signer: Signer,
  scratch: string,
  started: StartedHash | undefined,
): Promise<Release> {
  const { agent, caller, reader } = session;
  const { repository, config } = agent;
  const { trustCommands } = request;
  const description = checkDescription(decision.description ?? `${decision.type} version ${decision.number.text}`);
  const included = await commitChanges(session, decision, description, signer, scratch);
  const commit = included?.commit.id ?? decision.head;
  const tree = included?.tree ?? decision.head;
  // `git add` leaves out one that is ignored.
  if (included) await requireConfig(reader, included.tree);

  caller.progress("Hashing the version's files");
  const { cache, listing } = started?.commit === tree ? started : startHash(repository, tree);
  const [hashed, note, live] = await Promise.all([
    hashTree(repository, tree, await cache, listing),
    readNote(reader, NOTES_REF, commit),
    copyLiveState(session, path.join(scratch, "state")),
  ]);
  // Only now: while the agent stands still it waits for nothing else.
  const state = live && (await captureLiveState(session, live, { of: decision.tag, signer, trustCommands }));
  const capture = state?.capture;
  const sealed = await sealRelease(
    session,
    {
      number: decision.number,
      tag: decision.tag,
      type: decision.type,
      commit,
      tree,
      pending: decision.pending,
      description,
      tags: request.tags,
      hashed,
      state: capture?.digest ?? null,
      config,
      current: decision.current,
    },
    signer,
  );
  const isState = liveStateOf(config);
  const tracked = sealed.record.components["state"] ? hashed.files.filter(({ path: name }) => isState(name)) : [];
  const trackedState = tracked.map(({ path: name }) => readablePath(name));
  return { ...sealed, note, capture, standstill: state?.standstill, trackedState, included };
}

async function commitChanges(
  session: WritingSession,
  decision: Decision,
  message: string,
  signer: Signer,
  scratch: string,
): Promise<IncludedChanges | undefined> {
  const { workTree } = session.agent.repository;
  if (!decision.withChanges || workTree === undefined) return undefined;
  const inherit = [session.lock.descriptor];
  const request = { head: decision.head, message, at: session.at, scratch, inherit };
  return includeChanges({ ...session.agent.repository, workTree }, request, signer);
}
