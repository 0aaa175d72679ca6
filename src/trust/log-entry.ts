import { KaiError } from "../error.js";
import { type CommitObject, parseSignedCommit } from "../git/commit-object.js";
import type { ObjectReader, ReadObject } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { type Entry, parseEntryMessage } from "../operation/entry.js";
import type { KeyRing } from "./key-ring.js";
import { mayDo, type Policy, principalOf, roleFor } from "./policy.js";
import { verifySignature } from "./signature.js";
import { tagProblem } from "./tag-changes.js";

/** An entry of the log as its commit has it, whose signature nobody has looked at yet. */
export interface ReadEntry {
  readonly id: string;
  readonly raw: Buffer;
  readonly commit: CommitObject;
  readonly entry: Entry;
}

/** E121 where it is no entry. */
export function readEntry(repository: Repository, object: ReadObject): ReadEntry {
  const commit = object.type === "commit" ? parseSignedCommit(object.content, repository.objectFormat) : undefined;
  const parsed = commit === undefined ? undefined : parseEntryMessage(commit.message);
  if (!commit || !parsed) throw broken(`${object.id} is not an entry of it`);
  return { id: object.id, raw: object.content, commit, entry: parsed.entry };
}

/** E121 where it is missing. */
export const readCommit = async (reader: ObjectReader, id: string): Promise<ReadObject> => {
  const object = await reader.find(id);
  if (object === undefined) throw broken(`its entry ${id} is missing`);
  return object;
};

/** What an entry is judged by. */
export interface LogTrust {
  readonly policy: Policy;
  readonly keys: KeyRing;
}

/** One entry's own signature, by a key that the policy lets do what the entry did. E121. */
export async function verifyEntry(here: ReadEntry, trust: LogTrust): Promise<void> {
  const verdict = await verifySignature({
    payload: here.commit.payload,
    signature: here.commit.signature ?? Buffer.alloc(0),
    keys: trust.keys,
    strict: true,
  });
  if (verdict.outcome !== "good") throw broken(`the signature of entry ${here.id} is ${verdict.outcome}`);
  if (principalOf(trust.policy, verdict.key ?? "") === undefined) {
    throw broken(`entry ${here.id} was signed by nobody of the policy`);
  }
  if (here.entry.actor.key !== verdict.key) {
    throw broken(`entry ${here.id} names another key than the one that signed it`);
  }
  const role = roleFor(here.entry.kind);
  if (!mayDo(trust.policy, verdict.key, role)) {
    throw broken(`entry ${here.id} (${here.entry.kind}) was signed by a key that is no ${role}`);
  }
}

/** That an entry goes on from the one before it. E121. */
export function verifyStep(parent: ReadEntry, here: ReadEntry): void {
  const [first, ...others] = here.commit.parents;
  if (others.length > 0) throw broken(`${here.id} joins two logs, which this program does not know how to judge`);
  if (first !== parent.id) throw broken("it does not go on from the entry that this clone saw last");
  if (here.entry.seq !== parent.entry.seq + 1) throw broken(`entry ${here.id} is out of order`);
  if (here.entry.repo !== parent.entry.repo) throw broken(`entry ${here.id} belongs to another repository`);
  if (here.commit.committer.at < parent.commit.committer.at)
    throw broken(`entry ${here.id} is older than the one before it`);
  const problem = tagProblem(here.entry);
  if (problem !== undefined) throw broken(`entry ${here.id} changes what never changes: ${problem}`);
}

export function broken(why: string, hint?: string): KaiError {
  return new KaiError("E121", `The log cannot be trusted: ${why}.`, {
    hint: hint ?? "Nothing was changed. Compare `git log refs/kai/log` with a clone that you trust before you go on.",
  });
}
