import { KaiError } from "../error.js";
import { TreeLister } from "../git/tree-lister.js";
import type { LoggedEntry } from "../operation/entry.js";
import { readablePath } from "../system/path-bytes.js";
import { mayDo, type Policy } from "../trust/policy.js";
import type { History, KnownVersion } from "./history.js";
import { type Proving, whyNotProven } from "./prove-version.js";
import { strayPaths } from "./stray-paths.js";

/** What an entry says of the versions whose files the one is composed of that it made. */
export const sourcesDetails = (sources: readonly Pick<KnownVersion, "tagId">[]) => ({
  sources: sources.map(({ tagId }) => tagId),
});

/** The tags' object ids that it names; undefined where it names none. */
export function namedSources({ details }: Pick<LoggedEntry, "details">): readonly string[] | undefined {
  const { sources } = details;
  return Array.isArray(sources) && sources.every((each) => typeof each === "string") ? sources : undefined;
}

/** Of a composed version those that it is composed of, each once; of another the version itself. */
export function sourcesOf(history: History, versions: readonly KnownVersion[]): KnownVersion[] {
  const found = versions
    .filter(({ type }) => type !== "foreign")
    .flatMap((version) => {
      const made = version.type === "rollback" ? entryThatMade(history, version) : undefined;
      const named = (made && namedSources(made))?.map((id) => history.versions.find(({ tagId }) => tagId === id));
      return named?.every((each) => each !== undefined) ? named : [version];
    });
  return [...new Set(found)];
}

const keyOf = ({ tag, tagId }: KnownVersion): string => `refs/tags/${tag} ${tagId}`;

const entryThatMade = (history: History, { tag, tagId }: KnownVersion): LoggedEntry | undefined =>
  history.findEntry(({ changes }) =>
    changes.some(({ ref, new: next }) => ref === `refs/tags/${tag}` && next === tagId),
  );

/** Whether the key's owner may sign a version by themselves: of a `rollback` an operator may, if it is composed. */
export const mayCompose = (policy: Policy, key: string, { type }: Pick<KnownVersion, "type">): boolean =>
  type === "rollback" && mayDo(policy, key, "operator");

/** Says why a version is not what it should be; undefined where it is. */
export type VersionJudge = (version: KnownVersion) => Promise<string | undefined>;

/**
 * Judges whether a version that an operator signed is composed of others: every path, and its captured state, is as in one of
 * the versions that the entry names which made it. Those were all made before it and signed by releasers; each is proven once,
 * its content included.
 */
export function compositionJudge(proving: Proving): VersionJudge {
  const { history, reader, repository } = proving;
  const madeBy = entriesByTag(history);
  const lister = new TreeLister(repository, reader);
  const whyNotReleased = releaseJudge(proving);
  const filesOf = async ({ commit }: KnownVersion) => {
    const tree = (await reader.find(`${commit}^{tree}`))?.id;
    return tree === undefined ? undefined : lister.list(tree);
  };
  return async (version) => {
    const sources = findSources(history, madeBy(), version);
    if (typeof sources === "string") return sources;
    if (version.state !== null && sources.every(({ state }) => state !== version.state)) {
      return "its captured state is that of no version before it";
    }
    for (const source of sources) {
      const why = await whyNotReleased(source);
      if (why !== undefined) return `${source.tag}, which its files are said to be from, is not proven: ${why}`;
    }
    const [tree, ...trees] = await Promise.all([version, ...sources].map(filesOf));
    const listed = trees.filter((each) => each !== undefined);
    if (tree === undefined || listed.length < trees.length) return "a tree that tells is missing";
    const [stray] = strayPaths(tree, listed);
    return stray === undefined ? undefined : `${readablePath(stray)} is as in none of ${namesOf(sources)}`;
  };
}

export const namesOf = (versions: readonly KnownVersion[]): string => versions.map(({ tag }) => tag).join(", ");

type MadeBy = ReadonlyMap<string, LoggedEntry>;

/** The entry that made each tag, by the tag's ref and object id; read once, by the first who asks. */
function entriesByTag(history: History): () => MadeBy {
  let found: Map<string, LoggedEntry> | undefined;
  return () => {
    found ??= new Map(
      history.log.flatMap((entry) =>
        entry.changes.flatMap(({ ref, new: next }) =>
          ref.startsWith("refs/tags/") && next !== null ? [[`${ref} ${next}`, entry] as const] : [],
        ),
      ),
    );
    return found;
  };
}

/** The versions that a version is said to be composed of, or why that says nothing. */
function findSources(history: History, madeBy: MadeBy, version: KnownVersion): readonly KnownVersion[] | string {
  const made = madeBy.get(keyOf(version));
  const named = made?.kind === "rollback" ? namedSources(made) : undefined;
  if (made === undefined || named === undefined || named.length === 0) {
    return "the log does not say which versions its files are from";
  }
  const sources: KnownVersion[] = [];
  for (const id of named) {
    const source = history.versions.find(({ tagId }) => tagId === id);
    const before = source && madeBy.get(keyOf(source));
    if (source === undefined || before === undefined)
      return `a version that its files are from is not here (tag ${id})`;
    if (before.seq >= made.seq) return `${source.tag}, which its files are said to be from, was made after it`;
    sources.push(source);
  }
  return sources;
}

/** Says why a version is not proven, or its signer no releaser; each is looked at once. */
export function releaseJudge(proving: Proving): VersionJudge {
  const proofs = new Map<string, Promise<string | undefined>>();
  return (version) => {
    const proof = proofs.get(version.tagId) ?? proveReleased(proving, version);
    proofs.set(version.tagId, proof);
    return proof;
  };
}

async function proveReleased(proving: Proving, source: KnownVersion): Promise<string | undefined> {
  try {
    return await whyNotProven(proving, source, (key) =>
      mayDo(proving.log.policy, key, "releaser") ? undefined : "its signer is no releaser",
    );
  } catch (cause) {
    if (!(cause instanceof KaiError)) throw cause;
    return cause.message.replace(/\.$/, "");
  }
}
