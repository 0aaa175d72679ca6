import { createHash } from "node:crypto";
import type { KaiError } from "../error.js";
import { parseTree } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { hexLength, type Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { type Entry, LOG_REF } from "../operation/entry.js";
import { foundingProblem } from "./founding-problem.js";
import { createKeyRing, type KeyRing } from "./key-ring.js";
import { broken, type LogTrust, type ReadEntry, readCommit, readEntry, verifyEntry, verifyStep } from "./log-entry.js";
import { type Policy, parsePolicy, policyDigest } from "./policy.js";
import { madeTags } from "./tag-changes.js";
import { digestOfEntry, type TrustRoot } from "./trust-root.js";

/** The log's head and what it says of trust, its chain verified from where this clone left off. */
export interface TrustedLog {
  readonly head: string;
  readonly entry: Entry;
  readonly at: Date;
  readonly policy: Policy;
  /** The bytes of `policy.json` and `keys/*.asc`, as the next entry carries them on. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly keys: KeyRing;
}

/** What a verdict on a signature of ours depends on: the keys, and who may use them. */
export const ringDigest = (policy: Policy, keys: KeyRing): string =>
  createHash("sha256")
    .update(`${policyDigest(policy)} ${keys.digest}`)
    .digest("hex");

/**
 * Reads the head of the log and verifies every entry that this clone has not seen yet, or with `from` every one behind that:
 * signed by a key of the policy that may do this, numbered in order, never back in time, the policy unchanged, no version's
 * tag moved or made twice. E121 where one of it fails or the log was rolled back.
 */
export async function readTrustedLog(
  repository: Repository,
  reader: ObjectReader,
  root: TrustRoot,
  options: { ref?: string; from?: string } = {},
): Promise<TrustedLog> {
  const { ref = LOG_REF, from = root.seen } = options;
  const found = await reader.find(ref);
  if (found === undefined)
    throw broken("it is gone", "Fetch it from a complete clone: `git fetch <remote> refs/kai/log:refs/kai/log`");
  const head = readEntry(repository, found);
  const files = await readTrustFiles(repository, reader, head.commit.tree);
  const policy = parsePolicy(files.get("policy.json")?.toString() ?? "");
  const keys = createKeyRing(
    [...files].filter(([name]) => name.startsWith("keys/")).map(([name, bytes]) => ({ name, bytes })),
  );
  if (head.id !== root.seen || from !== root.seen) {
    await verifyChain(repository, reader, { head, from, root }, { policy, keys });
  }
  return { head: head.id, entry: head.entry, at: head.commit.committer.at, policy, files, keys };
}

async function readTrustFiles(
  repository: Repository,
  reader: ObjectReader,
  tree: string,
): Promise<Map<string, Buffer>> {
  const idBytes = hexLength(repository.objectFormat) / 2;
  const files = new Map<string, Buffer>();
  const root = parseTree(await reader.read(tree, "tree"), idBytes) ?? [];
  for (const item of root) {
    const name = item.name.toString();
    if (name === "policy.json") files.set(name, await reader.read(item.id, "blob"));
    if (name !== "keys" || item.mode !== "40000") continue;
    const keys = parseTree(await reader.read(item.id, "tree"), idBytes) ?? [];
    for (const key of keys) files.set(`keys/${key.name.toString()}`, await reader.read(key.id, "blob"));
  }
  return files;
}

/**
 * What pinning the log at `ref` on first use would take: its first entry, which must found a log and be signed by the key
 * that it brings. E121 where there is no such entry.
 */
export async function findRootOf(repository: Repository, reader: ObjectReader, ref: string): Promise<TrustRoot> {
  const roots = (await runGit(repository, ["rev-list", "--max-parents=0", ref, "--"])).toString().trim().split("\n");
  const [id = "", ...others] = roots;
  if (others.length > 0) throw broken("it has several first entries");
  const root = readEntry(repository, await readCommit(reader, id));
  requireFounding(root);
  const files = await readTrustFiles(repository, reader, root.commit.tree);
  const policy = parsePolicy(files.get("policy.json")?.toString() ?? "");
  const keys = createKeyRing(
    [...files].map(([name, bytes]) => ({ name, bytes })).filter(({ name }) => name !== "policy.json"),
  );
  await verifyEntry(root, { policy, keys });
  return {
    format: "kai-trust/1",
    root: id,
    digest: digestOfEntry(root.raw),
    repo: root.entry.repo,
    origin: "first-use",
    seen: id,
  };
}

/** Judges every entry from the head down to `from`, which is known, by the policy, which none of them may change. */
async function verifyChain(
  repository: Repository,
  reader: ObjectReader,
  { head, from, root }: { head: ReadEntry; from: string; root: TrustRoot },
  trust: LogTrust,
): Promise<void> {
  const range = await runGit(repository, ["rev-list", "--topo-order", head.id, `^${from}`, "--"]).catch(() => {
    throw broken("the entry that this clone saw last is gone: the log was rolled back or replaced");
  });
  const ids = range
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  ids.push(from);
  if (ids[0] !== head.id || !ids.includes(root.seen)) {
    throw broken("it was rolled back below an entry that this clone has seen");
  }
  // In slices that overlap by one, each read at once: few round trips, and memory that no length of the log exceeds.
  const made = new Set<string>();
  for (let start = 0; start + 1 < ids.length; start += SLICE) {
    await verifySlice(repository, reader, ids.slice(start, start + SLICE + 1), { ...trust, made });
  }
  await requireNotMadeBefore(repository, reader, from, [...made]);
  if (from !== root.root) return;
  const first = readEntry(repository, await readCommit(reader, from));
  if (digestOfEntry(first.raw) !== root.digest || first.entry.repo !== root.repo) {
    throw broken("its first entry is not the one that was pinned");
  }
  requireFounding(first);
}

function requireFounding({ id, commit, entry }: ReadEntry): void {
  const problem = foundingProblem(commit.parents, entry);
  if (problem !== undefined) throw broken(`its first entry ${id} founds none: ${problem}`);
}

const SLICE = 500;

/** Of the tags that new entries made, none was made by `from` or an entry behind it. */
async function requireNotMadeBefore(
  repository: Repository,
  reader: ObjectReader,
  from: string,
  refs: readonly string[],
): Promise<void> {
  for (let start = 0; start < refs.length; start += SLICE) {
    const slice = new Set(refs.slice(start, start + SLICE));
    const words = [...slice].map((ref) => `--grep="ref":"${ref}"`);
    const args = ["rev-list", "--encoding=UTF-8", "--fixed-strings", ...words, from, "--"];
    const found = (await runGit(repository, args)).toString().split("\n");
    for (const id of found.filter((line) => line !== "")) {
      const { entry } = readEntry(repository, await readCommit(reader, id));
      const again = madeTags(entry).find((ref) => slice.has(ref));
      if (again !== undefined) throw madeAgain(again, id);
    }
  }
}

const madeAgain = (ref: string, first: string): KaiError =>
  broken(`a later entry makes ${ref} again, which entry ${first} had made`);

/** Judges entries, newest first, each against the one behind it; the last is only looked at as a parent. */
async function verifySlice(
  repository: Repository,
  reader: ObjectReader,
  ids: readonly string[],
  { made, ...trust }: LogTrust & { readonly made: Set<string> },
): Promise<void> {
  const chain = await Promise.all(ids.map(async (id) => readEntry(repository, await readCommit(reader, id))));
  const trees = await Promise.all(chain.map((each) => readTrustIds(repository, reader, each.commit.tree)));
  // All signatures at once, on the threads that there are.
  await Promise.all(chain.slice(0, -1).map((here) => verifyEntry(here, trust)));
  for (const [index, here] of chain.entries()) {
    const parent = chain[index + 1];
    if (parent === undefined) break;
    verifyStep(parent, here);
    for (const ref of madeTags(here.entry)) {
      if (made.has(ref)) throw madeAgain(ref, here.id);
      made.add(ref);
    }
    if (trees[index] !== trees[index + 1]) {
      throw broken(`entry ${here.id} changes the policy, which needs approvals that it does not bring`);
    }
  }
}

/** The object ids of policy and keys in an entry's tree: the same ids, the same trust. */
async function readTrustIds(repository: Repository, reader: ObjectReader, tree: string): Promise<string> {
  const entries = parseTree(await reader.read(tree, "tree"), hexLength(repository.objectFormat) / 2) ?? [];
  return entries
    .filter((entry) => ["policy.json", "keys"].includes(entry.name.toString()))
    .map((entry) => `${entry.name.toString()} ${entry.mode} ${entry.id}`)
    .join("\n");
}
