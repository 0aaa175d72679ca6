import type { Repository } from "../git/repository.js";
import { type Capture, keepCopies } from "../state/capture-state.js";
import { copyState, type StateCopies } from "../state/copy-state.js";
import { findStateFiles } from "../state/find-state-files.js";
import { whyNotWell } from "../system/agent-process.js";
import { createKeyRing } from "../trust/key-ring.js";
import { kaiHome, readKnownKeys } from "../trust/key-store.js";
import { findRecipients, type Recipients } from "../trust/recipients.js";
import type { Signer } from "../trust/signer.js";
import { copyStandingStill, type Standstill } from "./copy-standing-still.js";
import { requireDatabases } from "./require-databases.js";
import { findStoppable } from "./running-agent.js";
import type { TagName } from "./tag-name.js";
import type { WritingSession } from "./writing-session.js";

/** The live state as it was copied while the agent went on. */
export interface LiveCopies {
  readonly copies: StateCopies;
  readonly located: Repository & { workTree: string };
  /** The folder of the copies. */
  readonly scratch: string;
  readonly recipients: Recipients | undefined;
}

/** Copies the live state and leaves the agent alone; undefined where there is none. E110 where it could not be encrypted. */
export async function copyLiveState(session: WritingSession, scratch: string): Promise<LiveCopies | undefined> {
  const { repository, config } = session.agent;
  const { workTree } = repository;
  const { state } = config.version_management.artifacts;
  const files = await findStateFiles(repository, state);
  if (workTree === undefined || files.length === 0) return undefined;
  const recipients = state.encrypt ? await recipientsIn(session) : undefined;
  session.caller.progress("Capturing the agent's state");
  const located = { ...repository, workTree };
  return { copies: await copyState(located, { files, scratch }), located, scratch, recipients };
}

/** Everybody of the policy, by the keys of the log and what this user knows of them beside. */
async function recipientsIn({ log, caller, at }: WritingSession): Promise<Recipients> {
  const logged = [...log.files].filter(([name]) => name.startsWith("keys/")).map(([name, bytes]) => ({ name, bytes }));
  return findRecipients(log.policy, createKeyRing([...logged, ...(await readKnownKeys(kaiHome(caller.env)))]), at);
}

/**
 * Makes the capture. Where files of it may be of different moments, and the agent runs and may be stopped, it stands still while
 * they are copied again. E123 where a database is none any more, E126 where it does not start again; one that cannot be stopped is
 * captured as it runs.
 */
export async function captureLiveState(
  session: WritingSession,
  live: LiveCopies,
  request: { readonly of: TagName; readonly signer: Signer; readonly trustCommands: boolean },
): Promise<{ readonly capture: Capture; readonly standstill: Standstill }> {
  const { of, signer: who } = request;
  await requireDatabases(session, live.copies);
  const { copies, ...standstill } = await copiesOfOneMoment(session, live, request);
  const { located, scratch, recipients } = live;
  const keep = { of, who, at: session.at, scratch, inherit: [session.lock.descriptor], recipients };
  return { capture: await keepCopies(located, keep, copies), standstill };
}

async function copiesOfOneMoment(
  session: WritingSession,
  { copies, located, scratch }: LiveCopies,
  { signer, trustCommands }: { readonly signer: Signer; readonly trustCommands: boolean },
): Promise<Standstill & { copies: StateCopies }> {
  const leave = (notStopped: string | null) => ({ copies, stopped: null, notStopped });
  if (copies.consistent) return leave(null);
  const found = await findStoppable(session, { trustCommands, holds: true }, signer.fingerprint);
  if (typeof found === "string") return leave(found);
  const ill = await whyNotWell(found.start, { env: session.caller.env });
  return ill === null ? copyStandingStill(session, located, found, scratch) : leave(ill);
}
