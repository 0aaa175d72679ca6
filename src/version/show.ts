import { ObjectReader } from "../git/object-reader.js";
import { type LoggedEntry, NOTES_REF } from "../operation/entry.js";
import { findAsked } from "./find-asked.js";
import { findRecord } from "./find-record.js";
import type { KnownVersion } from "./history.js";
import type { JudgedVersion, Problem } from "./judge-version.js";
import { type ListedOperation, listOperations } from "./operations.js";
import { listNotes, readNotes } from "./read-notes.js";
import { readAgentHistory } from "./reading.js";
import type { VersionRecord } from "./record.js";
import { type ListedStatus, listedStatus, promotionOf, type Standing } from "./standing.js";
import { type VerifyCaller, verifyVersions } from "./verify.js";

export interface ShownVersion {
  readonly version: string;
  readonly tag: string;
  readonly commit: string;
  readonly hash: string | null;
  readonly type: string;
  readonly current: boolean;
  readonly withdrawn: boolean;
  /** As `list` calls it. */
  readonly status: ListedStatus;
  /** What a releaser said last of it, also where it is withdrawn; null where none did. */
  readonly standing: Standing | null;
  /** Null for a version of another tool, or where the record is not here. */
  readonly record: VersionRecord | null;
  readonly children: readonly string[];
  readonly signature: JudgedVersion["signature"];
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** Operations that made it, put it in force, left it, brought it back or said where it stands, oldest first. */
  readonly operations: readonly ListedOperation[];
}

/** Everything that is known of one version. */
export async function showVersion(caller: VerifyCaller, asked: string): Promise<ShownVersion> {
  const { agent, history } = await readAgentHistory(caller.cwd, caller.env, caller.onConfigGone);
  const version = findAsked(history, asked);
  const verified = await verifyVersions(
    { ...caller, onConfigGone: () => {} },
    { versions: [version.tag], all: false, deep: false },
  );
  const judged = verified.versions[0];
  const number = version.number.text;
  const operations = listOperations(
    history.log.filter((entry) => isAbout(entry, version)),
    { kind: undefined, at: undefined, limit: undefined },
  );
  return {
    version: number,
    tag: version.tag,
    commit: version.commit,
    hash: version.hash,
    type: version.type,
    current: history.current?.tag === version.tagId,
    withdrawn: version.withdrawn,
    status: listedStatus(version),
    standing: version.standing,
    record: await readRecord(agent.repository, version),
    children: history.versions.filter((each) => each.parent === number).map((each) => each.number.text),
    signature: judged?.signature ?? { outcome: "unsigned", key: null, signer: null, reason: null },
    ok: judged?.ok ?? false,
    problems: judged?.problems ?? [],
    operations: operations.reverse(),
  };
}

/** Whether an operation made the version, put it in force, left or withdrew it, took it back into use, or said where it stands. */
function isAbout(entry: LoggedEntry, version: KnownVersion): boolean {
  const { kind, changes, current, withdrawn, restored, details } = entry;
  const number = version.number.text;
  const [from, to] = [current.before?.version, current.after?.version];
  if (changes.some((change) => change.new === version.tagId) || withdrawn.includes(number) || restored.includes(number))
    return true;
  if (kind === "promote") return promotionOf(entry)?.object === version.tagId;
  // That a later version took its place is told of that one.
  if (kind === "create") return from !== to && to === number;
  return from === to ? details["version"] === number : from === number || to === number;
}

async function readRecord(
  repository: ConstructorParameters<typeof ObjectReader>[0],
  version: KnownVersion,
): Promise<VersionRecord | null> {
  if (version.record === null) return null;
  const reader = new ObjectReader(repository);
  try {
    const notes = await readNotes(reader, await listNotes(repository, NOTES_REF), new Set([version.commit]));
    return findRecord(notes.get(version.commit) ?? "", version.record) ?? null;
  } finally {
    reader.close();
  }
}
