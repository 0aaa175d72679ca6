import { KaiError } from "../error.js";
import type { RefChange } from "../git/ref-transaction.js";
import type { Operation } from "../operation/operation.js";
import { parseCapture } from "../state/capture-manifest.js";
import { sweepStore } from "../state/state-store.js";
import { findAsked } from "./find-asked.js";
import type { KnownVersion } from "./history.js";
import { forgottenDetails, keepingDetails, readStateHistory, stateRefOf } from "./state-history.js";
import { type Caller, type WritingSession, withWritingSession } from "./writing-session.js";

export interface StateRequest {
  /** Versions as the user named them. */
  readonly versions: readonly string[];
  readonly dryRun: boolean;
}

export interface KeptState {
  /** Null in a dry run. */
  readonly operation: string | null;
  readonly kept: readonly string[];
}

/** Keeps the state captured with versions, however many come after. E109 where it is kept already. */
export function keepState(caller: Caller, request: StateRequest): Promise<KeptState> {
  return withWritingSession(caller, { purpose: "state keep", untracked: "no" }, async (session) => {
    const versions = await Promise.all(askedVersions(session, request).map((version) => findState(session, version)));
    const { kept } = await readStateHistory(session.agent.repository);
    const added = versions.map(({ version }) => version).filter(({ tag }) => !kept.has(tag));
    if (added.length === 0) throw new KaiError("E109", `The state of ${named(request)} is kept already.`);
    const numbers = added.map(({ number }) => number.text);
    if (request.dryRun) return { operation: null, kept: numbers };
    const tags = added.map(({ tag }) => tag);
    const details = keepingDetails({ action: "keep", tags });
    await logStateFact(session, { kind: "state", subject: `state keep ${tags.join(", ")}`, details, changes: [] });
    return { operation: session.id, kept: numbers };
  });
}

export interface ForgottenState {
  /** Null in a dry run. */
  readonly operation: string | null;
  readonly forgotten: readonly string[];
  readonly files: number;
  /** Captured bytes, of which git frees its own some day. */
  readonly bytes: number;
  /** Bytes freed at once, of large files that nothing else names. */
  readonly freed: number;
}

/** Gives up the state captured with versions: its ref goes, and what is kept of it alone. E125 for the version in force. */
export function forgetState(caller: Caller, request: StateRequest): Promise<ForgottenState> {
  return withWritingSession(caller, { purpose: "state forget", untracked: "no" }, async (session) => {
    const { repository } = session.agent;
    const asked = askedVersions(session, request);
    const inForce = asked.find((version) => version.tagId === session.history.current?.tag);
    if (inForce) {
      throw new KaiError("E125", `${inForce.tag} is in force: its state is what an agent that breaks goes back to.`, {
        hint: "Make another version first: `git kai-version create --allow-unchanged`",
      });
    }
    const states = await Promise.all(asked.map((version) => findState(session, version)));
    const changes = states.map(({ ref, commit }): RefChange => ({ ref, old: commit, new: null }));
    const result = {
      forgotten: states.map(({ version }) => version.number.text),
      files: states.reduce((sum, { files }) => sum + files, 0),
      bytes: states.reduce((sum, { bytes }) => sum + bytes, 0),
    };
    if (request.dryRun) {
      const without = changes.map(({ ref }) => ref);
      const freed = await sweepStore(repository, session.reader, { without, dryRun: true });
      return { operation: null, ...result, freed };
    }
    const tags = states.map(({ version }) => version.tag);
    const subject = `state forget ${tags.join(", ")}`;
    await logStateFact(session, { kind: "state", subject, details: forgottenDetails(tags), changes });
    return { operation: session.id, ...result, freed: await sweepStore(repository, session.reader) };
  });
}

/** Each version once. */
function askedVersions({ history }: WritingSession, { versions }: StateRequest): KnownVersion[] {
  return [...new Set(versions.map((asked) => findAsked(history, asked)))];
}

const named = ({ versions }: StateRequest): string => versions.join(", ");

/** The capture that is here; E101 where none was made or it is gone. One that differs from what was signed can be forgotten. */
async function findState({ agent, reader }: WritingSession, version: KnownVersion) {
  const { tag } = version;
  const ref = stateRefOf(tag);
  const commit = (await reader.find(ref))?.id;
  if (commit === undefined) {
    const { forgotten } = await readStateHistory(agent.repository);
    const at = forgotten.get(tag);
    const why =
      version.state === null ? "none was captured" : at ? `it was forgotten at ${at}` : "it is not in this clone";
    throw new KaiError("E101", `There is no state of ${tag}: ${why}.`, {
      hint: "`git kai-version state list` shows what there is.",
    });
  }
  const description = await reader.find(`${ref}:capture.json`);
  const files = (description && parseCapture(description.content, null)?.files) ?? [];
  return { version, ref, commit, files: files.length, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

/** Adds an entry to the log that leaves what is in force as it is. */
export async function logStateFact(
  session: WritingSession,
  fact: Pick<Operation, "subject" | "details" | "changes"> & { readonly kind: "state" | "undo" },
): Promise<void> {
  const { log, history, id, at } = session;
  const operation: Operation = {
    id,
    repo: log.entry.repo,
    ...fact,
    at,
    log: { head: log.head, seq: log.entry.seq, at: log.at },
    current: { before: history.current, after: history.current },
    objects: [],
    held: [],
    files: log.files,
  };
  await session.perform(operation, await session.openSigner("operator"));
}
