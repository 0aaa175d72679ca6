import path from "node:path";
import { type FoundNote, readNote } from "../git/notes.js";
import { NOTES_REF } from "../operation/entry.js";
import { type Capture, captureState } from "../state/capture-state.js";
import { findStateFiles } from "../state/find-state-files.js";
import { readablePath } from "../system/path-bytes.js";
import { createKeyRing } from "../trust/key-ring.js";
import { kaiHome, readKnownKeys } from "../trust/key-store.js";
import { findRecipients, type Recipients } from "../trust/recipients.js";
import type { Signer } from "../trust/signer.js";
import { type CreateRequest, type Decision, requireConfig } from "./decide-creation.js";
import { hashTree, type StartedHash, startHash } from "./hash-tree.js";
import { type IncludedChanges, includeChanges } from "./include-changes.js";
import { liveStateOf } from "./live-state.js";
import { type SealedRelease, sealRelease } from "./seal-release.js";
import type { TagName } from "./tag-name.js";
import { checkDescription } from "./tag-text.js";
import type { WritingSession } from "./writing-session.js";

/** A version's objects, signed and not yet named by any ref. */
export interface Release extends SealedRelease {
  /** What the note on the commit held before. */
  readonly note: FoundNote;
  readonly capture: Capture | undefined;
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
  const description = checkDescription(request.description ?? `${decision.type} version ${decision.number.text}`);
  const included = await commitChanges(session, decision, description, signer, scratch);
  const commit = included?.commit.id ?? decision.head;
  const tree = included?.tree ?? decision.head;
  // `git add` leaves out one that is ignored.
  if (included) await requireConfig(reader, included.tree);

  caller.progress("Hashing the version's files");
  const { cache, listing } = started?.commit === tree ? started : startHash(repository, tree);
  const [hashed, note, capture] = await Promise.all([
    hashTree(repository, tree, await cache, listing),
    readNote(reader, NOTES_REF, commit),
    captureFor(session, decision.tag, signer, path.join(scratch, "state")),
  ]);
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
  return { ...sealed, note, capture, trackedState: tracked.map(({ path: name }) => readablePath(name)), included };
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

async function captureFor(
  session: WritingSession,
  tag: TagName,
  signer: Signer,
  scratch: string,
): Promise<Capture | undefined> {
  const { repository, config } = session.agent;
  if (repository.workTree === undefined) return undefined;
  const files = await findStateFiles(repository, config.version_management.artifacts.state);
  if (files.length === 0) return undefined;
  const recipients = config.version_management.artifacts.state.encrypt ? await recipientsIn(session) : undefined;
  session.caller.progress("Capturing the agent's state");
  return captureState(
    { ...repository, workTree: repository.workTree },
    { files, of: tag, who: signer, at: session.at, scratch, inherit: [session.lock.descriptor], recipients },
  );
}

/** Everybody of the policy, by the keys of the log and what this user knows of them beside. */
async function recipientsIn({ log, caller, at }: WritingSession): Promise<Recipients> {
  const logged = [...log.files].filter(([name]) => name.startsWith("keys/")).map(([name, bytes]) => ({ name, bytes }));
  return findRecipients(log.policy, createKeyRing([...logged, ...(await readKnownKeys(kaiHome(caller.env)))]), at);
}
