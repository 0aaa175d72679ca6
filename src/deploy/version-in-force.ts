import { KaiError } from "../error.js";
import { findNotes } from "../git/find-notes.js";
import { parseTag, type TagObject, trailersOf } from "../git/tag-object.js";
import { CURRENT_REF, NOTES_REF } from "../operation/entry.js";
import { mayDo, principalOf, type Role } from "../trust/policy.js";
import { verifySignature } from "../trust/signature.js";
import { findRecord } from "../version/find-record.js";
import { parseCurrentTag, parseVersionTag } from "../version/tag-text.js";
import type { PlainRepository } from "./plain-repository.js";
import { entriesFrom, type TrustedHead } from "./trusted-head.js";

/** What the signed tags of the version in force say of it. */
export interface SignedVersion {
  readonly agentId: string;
  readonly version: string;
  /** The tag's name, e.g. `v1.2.0`, and its object id. */
  readonly tag: string;
  readonly tagId: string;
  /** Whether a releaser signed it; else an operator did, and it has to be composed of versions that releasers signed. */
  readonly released: boolean;
  readonly commit: string;
  readonly hash: string;
  /** Digest of the captured state; null where none was captured. */
  readonly state: string | null;
}

/**
 * Proves which version is in force: the log, the tag `current` and the version's own tag, each signed by a key of the
 * policy, agree, and the record is the one that the tag was signed for. E102 where not, E105 where none is in force.
 */
export async function proveVersionInForce(repository: PlainRepository, head: TrustedHead): Promise<SignedVersion> {
  const { after } = head.entry.current;
  if (after === null) {
    throw new KaiError("E105", "No version is in force yet.", { hint: "`git kai-version create` makes the first." });
  }
  if ((await repository.findRef(CURRENT_REF)) !== after.pointer) {
    throw altered(CURRENT_REF, "it is not the tag that the log says is in force");
  }
  const { tag: current } = await readSignedTag(repository, head, after.pointer, CURRENT_REF, ["releaser", "operator"]);
  const says = parseCurrentTag(current.message, after.pointer);
  const repo = trailersOf(current.message).get("Kai-Repo");
  const agrees = current.name === "current" && says?.version === after.version && says.tag === after.tag;
  if (!agrees || repo !== head.entry.repo) throw altered(CURRENT_REF, "it says something else than the log");

  const { tag, key } = await readSignedTag(repository, head, after.tag, `the tag of ${after.version}`, [
    "releaser",
    "operator",
  ]);
  const ref = `refs/tags/${tag.name}`;
  const text = parseVersionTag(tag.message);
  if ((await repository.findRef(ref)) !== after.tag) throw altered(ref, "it is not the tag that the log made");
  if (!text || tag.type !== "commit" || tag.object !== current.object) throw altered(ref, "it is no version's tag");
  if (text.repo !== head.entry.repo) throw altered(ref, "it was made for another repository");
  const released = mayDo(head.policy, key, "releaser");
  if (!released && text.type !== "rollback") throw altered(ref, "it was signed by a key that is no releaser");
  await requireRecord(repository, head, { ref, id: after.tag, commit: tag.object, digest: text.record });
  return {
    agentId: text.agent,
    version: after.version,
    tag: tag.name,
    tagId: after.tag,
    released,
    commit: tag.object,
    hash: text.hash,
    state: text.state,
  };
}

/** A tag whose signature is good, and the fingerprint of the key that made it. */
export interface ReadTag {
  readonly tag: TagObject;
  readonly key: string;
}

export async function readSignedTag(
  repository: PlainRepository,
  head: TrustedHead,
  id: string,
  what: string,
  /** Of which the signer must have one. */
  roles: readonly Role[],
): Promise<ReadTag> {
  const tag = parseTag(await repository.read(id, "tag"));
  if ("problem" in tag) throw altered(what, tag.problem);
  const verdict = await verifySignature({
    payload: tag.payload,
    signature: tag.signature ?? Buffer.alloc(0),
    keys: head.keys,
    strict: true,
  });
  if (verdict.outcome !== "good") throw altered(what, `its signature is ${verdict.outcome}`);
  const { key = "" } = verdict;
  if (principalOf(head.policy, key) === undefined) {
    throw altered(what, "it was signed by nobody of the policy");
  }
  if (!roles.some((role) => mayDo(head.policy, key, role))) {
    throw altered(what, `it was signed by a key that is no ${roles.join(" or ")}`);
  }
  return { tag, key };
}

interface RecordedVersion {
  readonly ref: string;
  readonly id: string;
  readonly commit: string;
  readonly digest: string;
}

/** The note must hold the record; where the clone brought no note, the log entry that made the version must. */
async function requireRecord(repository: PlainRepository, head: TrustedHead, version: RecordedVersion): Promise<void> {
  const note = await findNote(repository, version.commit);
  if (note !== undefined) {
    if (findRecord(note, version.digest)) return;
    throw altered(NOTES_REF, `its note on ${version.commit} holds no record that ${version.ref} was signed for`);
  }
  const line = await findLoggedRecord(repository, head, version);
  if (line !== undefined && findRecord(line, version.digest)) return;
  throw altered(NOTES_REF, `the record of ${version.ref} is neither there nor in the log`);
}

/** The text of the note on `commit`. */
async function findNote(repository: PlainRepository, commit: string): Promise<string | undefined> {
  const notes = await repository.findRef(NOTES_REF);
  if (notes === undefined) return undefined;
  const blobs = await findNotes((id) => repository.readTree(id), await repository.treeOf(notes), commit);
  const texts = await Promise.all(blobs.map((blob) => repository.read(blob, "blob")));
  return texts.length === 0 ? undefined : texts.map(String).join("\n");
}

async function findLoggedRecord(
  repository: PlainRepository,
  head: TrustedHead,
  version: RecordedVersion,
): Promise<string | undefined> {
  for await (const { commit, entry } of entriesFrom(repository, head.id)) {
    if (!entry.changes.some((change) => change.ref === version.ref && change.new === version.id)) continue;
    const record = (await repository.readTree(commit.tree)).find(({ name }) => name.toString() === "record.json");
    return record && (await repository.read(record.id, "blob")).toString().replace(/\n$/, "");
  }
  return undefined;
}

export function altered(what: string, why: string): KaiError {
  return new KaiError("E102", `${what} cannot be trusted: ${why}.`, {
    hint: "`git kai-version verify --all` says what else is wrong. Fetch tags, notes and log again from a clone that you trust.",
    data: { paths: [what] },
  });
}
