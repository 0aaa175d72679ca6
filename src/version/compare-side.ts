import type { AgentConfig } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import { findAsked } from "./find-asked.js";
import type { History, KnownVersion } from "./history.js";
import { recordDigest, type VersionRecord } from "./record.js";
import { findVersionConfig } from "./version-config.js";

/** One of the two that are compared. */
export interface ComparedSide {
  /** `1.2.0`, or `HEAD` for the branch's commit. */
  readonly name: string;
  /** Undefined for `HEAD`. */
  readonly version: KnownVersion | undefined;
  readonly commit: string;
  /** As the log holds it, its digest checked against the tag's; null where there is none. */
  readonly record: VersionRecord | null;
  /** Its own kai.yaml; null where it has none that can be read. */
  readonly config: AgentConfig | null;
}

/**
 * What `name` means: a version with or without `v`, a version's tag, `current`, or `HEAD`. E101 where there is no such
 * version, E107 where it is none of these.
 */
export async function findSide(reader: ObjectReader, history: History, name: string): Promise<ComparedSide> {
  const version = name === "HEAD" ? undefined : findAsked(history, name);
  const commit = await reader.find(`${version?.commit ?? "HEAD"}^{commit}`);
  if (commit === undefined) throw missingCommit(version);
  return {
    name: version?.number.text ?? "HEAD",
    version,
    commit: commit.id,
    record: version === undefined ? null : await findLoggedRecord(reader, history, version),
    config: await findVersionConfig(reader, commit.id),
  };
}

function missingCommit(version: KnownVersion | undefined): KaiError {
  if (version === undefined) {
    return new KaiError("E125", "The branch has no commit yet.", { hint: "Commit something first." });
  }
  return new KaiError("E101", `The commit of ${version.tag} is not in this repository.`, {
    hint: "In a shallow clone, `git fetch --unshallow` brings it.",
  });
}

/** The record from the log entry that made the version: one object to read, where its note would be a git process. */
async function findLoggedRecord(
  reader: ObjectReader,
  history: History,
  version: KnownVersion,
): Promise<VersionRecord | null> {
  const ref = `refs/tags/${version.tag}`;
  const entry = history.findEntry(({ changes }) =>
    changes.some((change) => change.ref === ref && change.new === version.tagId),
  );
  const object = entry === undefined ? undefined : await reader.find(`${entry.commit}:record.json`);
  const line = object?.content.toString().replace(/\n$/, "") ?? "";
  return recordDigest(line) === version.record ? (JSON.parse(line) as VersionRecord) : null;
}
