import { KaiError } from "../error.js";
import { type CommitObject, parseSignedCommit } from "../git/commit-object.js";
import { type Entry, LOG_REF, parseEntryMessage } from "../operation/entry.js";
import { foundingProblem } from "../trust/founding-problem.js";
import { createKeyRing, type KeyRing } from "../trust/key-ring.js";
import { mayDo, type Policy, parsePolicy, principalOf, roleFor } from "../trust/policy.js";
import { verifySignature } from "../trust/signature.js";
import { tagProblem } from "../trust/tag-changes.js";
import { digestOfEntry, type TrustRoot } from "../trust/trust-root.js";
import type { PlainRepository } from "./plain-repository.js";

/** The newest entry of the log, proven to go on from what this clone has seen. */
export interface TrustedHead {
  readonly id: string;
  readonly entry: Entry;
  readonly policy: Policy;
  readonly keys: KeyRing;
}

interface ReadEntry {
  readonly id: string;
  readonly raw: Buffer;
  readonly commit: CommitObject;
  readonly entry: Entry;
}

/**
 * Reads the log's head and goes back to the entry that this clone saw last, which leads to the pinned root. Every entry on
 * the way must be signed by a key of the policy that may do this, in order, and leave the policy as it is. E121 where that fails.
 */
export async function readTrustedHead(repository: PlainRepository, root: TrustRoot): Promise<TrustedHead> {
  const id = await repository.findRef(LOG_REF);
  if (id === undefined) throw broken("it is gone");
  const head = await readEntry(repository, id);
  const trust = await readTrust(repository, head);
  if (head.entry.repo !== root.repo) throw broken("it belongs to another repository than the one that was pinned");
  await requireSigned(head, trust);
  let here = head;
  while (here.id !== root.seen) {
    const [parent, ...others] = here.commit.parents;
    if (others.length > 0) throw broken(`${here.id} joins two logs, which this program does not know how to judge`);
    if (parent === undefined) {
      throw broken("it was rolled back or replaced: it does not hold the entry that this clone saw last");
    }
    const before = await readEntry(repository, parent);
    requireStep(before, here);
    if ((await trustFilesOf(repository, before)) !== (await trustFilesOf(repository, here))) {
      throw broken(`entry ${here.id} changes the policy, which needs approvals that it does not bring`);
    }
    if (before.id !== root.seen) await requireSigned(before, trust);
    here = before;
  }
  if (here.id === root.root) requirePinned(here, root);
  return { id, entry: head.entry, ...trust };
}

function requirePinned(first: ReadEntry, root: TrustRoot): void {
  if (digestOfEntry(first.raw) !== root.digest) throw broken("its first entry is not the one that was pinned");
  const problem = foundingProblem(first.commit.parents, first.entry);
  if (problem !== undefined) throw broken(`its first entry ${first.id} founds none: ${problem}`);
}

export async function readEntry(repository: PlainRepository, id: string): Promise<ReadEntry> {
  const raw = await repository.read(id, "commit");
  const commit = parseSignedCommit(raw, "sha1");
  const entry = commit && parseEntryMessage(commit.message)?.entry;
  if (!commit || !entry) throw broken(`${id} is not an entry of it`);
  return { id, raw, commit, entry };
}

/** The entries of the log, newest first, read one by one. */
export async function* entriesFrom(repository: PlainRepository, head: string): AsyncGenerator<ReadEntry> {
  for (let id: string | undefined = head; id !== undefined; ) {
    const read: ReadEntry = await readEntry(repository, id);
    yield read;
    id = read.commit.parents[0];
  }
}

async function readTrust(repository: PlainRepository, head: ReadEntry): Promise<{ policy: Policy; keys: KeyRing }> {
  const tree = await repository.readTree(head.commit.tree);
  const policy = tree.find(({ name }) => name.toString() === "policy.json");
  const folder = tree.find(({ name, mode }) => name.toString() === "keys" && mode === "40000");
  if (policy === undefined || folder === undefined) throw broken("its newest entry has no policy or no keys");
  const files = (await repository.readTree(folder.id)).map(async ({ name, id }) => ({
    name: `keys/${name.toString()}`,
    bytes: await repository.read(id, "blob"),
  }));
  return {
    policy: parsePolicy((await repository.read(policy.id, "blob")).toString()),
    keys: createKeyRing(await Promise.all(files)),
  };
}

/** Object ids of policy and keys: the same where nothing of them differs. */
async function trustFilesOf(repository: PlainRepository, { commit }: ReadEntry): Promise<string> {
  const tree = await repository.readTree(commit.tree);
  const ids = ["policy.json", "keys"].map((wanted) => tree.find(({ name }) => name.toString() === wanted)?.id ?? "");
  return ids.join(" ");
}

async function requireSigned(here: ReadEntry, trust: { policy: Policy; keys: KeyRing }): Promise<void> {
  const verdict = await verifySignature({
    payload: here.commit.payload,
    signature: here.commit.signature ?? Buffer.alloc(0),
    keys: trust.keys,
    strict: true,
  });
  if (verdict.outcome !== "good") throw broken(`the signature of entry ${here.id} is ${verdict.outcome}`);
  if (principalOf(trust.policy, verdict.key ?? "") === undefined || here.entry.actor.key !== verdict.key) {
    throw broken(`entry ${here.id} was not signed by the one whom it names, or by nobody of the policy`);
  }
  const role = roleFor(here.entry.kind);
  if (!mayDo(trust.policy, here.entry.actor.key, role)) {
    throw broken(`entry ${here.id} (${here.entry.kind}) was signed by a key that is no ${role}`);
  }
}

function requireStep(before: ReadEntry, here: ReadEntry): void {
  const inOrder =
    here.entry.seq === before.entry.seq + 1 &&
    here.entry.repo === before.entry.repo &&
    here.commit.committer.at >= before.commit.committer.at;
  if (!inOrder) throw broken(`entry ${here.id} does not follow from the one before it`);
  const problem = tagProblem(here.entry);
  if (problem !== undefined) throw broken(`entry ${here.id} changes what never changes: ${problem}`);
}

function broken(why: string): KaiError {
  return new KaiError("E121", `The log cannot be trusted: ${why}.`, {
    hint: "Nothing was loaded. Compare `git log refs/kai/log` with a clone that you trust before you go on.",
  });
}
