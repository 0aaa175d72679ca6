import type { AgentConfig } from "../agent/config.js";
import type { ChangelogEntry } from "../change/changelog.js";
import type { GitObject } from "../git/object.js";
import type { InForce } from "../operation/entry.js";
import type { Signer } from "../trust/signer.js";
import { buildRecord } from "./build-record.js";
import { findLfsPointers } from "./find-lfs-pointers.js";
import type { HashedTree } from "./hash-tree.js";
import type { VersionNumber } from "./number.js";
import type { PendingChanges } from "./pending-changes.js";
import { formatRecord, recordDigest, type VersionRecord, type VersionType } from "./record.js";
import { makeCurrentTag, makeSignedTag } from "./release-objects.js";
import { resolveAgents } from "./resolved-agents.js";
import type { TagName } from "./tag-name.js";
import { formatVersionTag } from "./tag-text.js";
import type { WritingSession } from "./writing-session.js";

/** What a version is, all of it known. */
export interface ReleaseContent {
  readonly number: VersionNumber;
  readonly tag: TagName;
  readonly type: VersionType;
  readonly commit: string;
  readonly tree: string;
  readonly pending: PendingChanges;
  readonly description: string;
  readonly tags: readonly string[];
  readonly hashed: HashedTree;
  /** Digest of the captured state; null where there is none. */
  readonly state: string | null;
  readonly config: AgentConfig;
  /** Whether it comes into force. */
  readonly current: boolean;
}

/** Its record and signed tags, named by no ref yet. */
export interface SealedRelease {
  readonly record: VersionRecord;
  /** The record's line, whose digest the tag holds. */
  readonly line: string;
  readonly tag: GitObject;
  /** The tag `current`; undefined where the version does not come into force. */
  readonly pointer: { readonly object: GitObject; readonly inForce: InForce } | undefined;
}

/** Writes a version's record and signs its tags. */
export async function sealRelease(
  session: WritingSession,
  content: ReleaseContent,
  signer: Signer,
): Promise<SealedRelease> {
  const { agent, reader, log, at, id } = session;
  const { repository } = agent;
  const { number, tag: name, type, commit, tree, pending, description, tags, hashed, state, config } = content;
  const record = buildRecord({
    id,
    agent: config.agent_id,
    repo: log.entry.repo,
    number,
    tag: name,
    type,
    commit,
    pending,
    at,
    signer,
    notes: description,
    tags,
    hashed,
    lfs: await findLfsPointers(repository, reader, tree, hashed.files),
    state,
    config,
    agents: await resolveAgents(config, session.caller.env),
  });
  const line = formatRecord(record);
  const message = formatVersionTag({
    description,
    changelog: changelogLines(record.changelog),
    agent: record.agent,
    repo: record.repo,
    type: record.type,
    parent: record.parent,
    hash: record.hash,
    record: recordDigest(line),
    state: record.checksums.state,
  });
  const tag = await makeSignedTag({ name, commit, at, message }, signer, repository.objectFormat);
  if (!content.current) return { record, line, tag, pointer: undefined };
  const { version, agent: agentId, repo } = record;
  const says = { version, tagName: name, tag: tag.id, commit, agent: agentId, repo, operation: id, at };
  return { record, line, tag, pointer: await makeCurrentTag(says, signer, repository.objectFormat) };
}

/** Changes that a tag's message lists; the record has all of them. */
const LISTED_CHANGES = 100;

function changelogLines(changelog: readonly ChangelogEntry[]): string[] {
  const lines = changelog.slice(0, LISTED_CHANGES).map(({ type, scope, breaking, description }) => {
    return `${type}${scope === null ? "" : `(${scope})`}${breaking ? "!" : ""}: ${description}`;
  });
  const more = changelog.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more`] : lines;
}
