import { readablePath } from "../system/path-bytes.js";
import { namedSources } from "../version/composed-version.js";
import type { TreeFile } from "../version/manifest.js";
import { strayPaths } from "../version/stray-paths.js";
import { parseVersionTag } from "../version/tag-text.js";
import type { PlainRepository } from "./plain-repository.js";
import { entriesFrom, type TrustedHead } from "./trusted-head.js";
import { readVersionFiles } from "./version-files.js";
import { altered, readSignedTag, type SignedVersion } from "./version-in-force.js";

/** A version of which another is composed, as the entry that made it names its tag. */
interface Source {
  /** Of its tag. */
  readonly ref: string;
  readonly id: string;
}

/**
 * Refuses (E102) a version that an operator signed unless every path of it, and its captured state, is as in one of the versions
 * that the entry names which made it: all of them made before it and signed by releasers, their content proven.
 */
export async function requireComposed(
  repository: PlainRepository,
  head: TrustedHead,
  version: SignedVersion,
  files: readonly TreeFile[],
): Promise<void> {
  const ref = `refs/tags/${version.tag}`;
  const refuse = (why: string) => altered(ref, `it was signed by a key that is no releaser, and ${why}`);
  const sources = await findSources(repository, head, version);
  if (sources === undefined) throw refuse("the log does not say which versions its files are from");
  const read = await Promise.all(sources.map((source) => readSource(repository, head, source)));
  if (version.state !== null && read.every(({ state }) => state !== version.state)) {
    throw refuse("its captured state is that of no version before it");
  }
  const [stray] = strayPaths(
    files,
    read.map((source) => source.files),
  );
  if (stray !== undefined) {
    throw refuse(`${readablePath(stray)} is as in none of ${read.map(({ name }) => name).join(", ")}`);
  }
}

/** The versions that its entry names; undefined where it names none, or one that was not made before it. */
async function findSources(
  repository: PlainRepository,
  head: TrustedHead,
  { tag, tagId }: SignedVersion,
): Promise<readonly Source[] | undefined> {
  let wanted: ReadonlySet<string> | undefined;
  const found = new Map<string, Source>();
  for await (const { entry } of entriesFrom(repository, head.id)) {
    if (wanted === undefined) {
      if (!entry.changes.some(({ ref, new: next }) => ref === `refs/tags/${tag}` && next === tagId)) continue;
      const named = entry.kind === "rollback" ? namedSources(entry) : undefined;
      if (named === undefined || named.length === 0) return undefined;
      wanted = new Set(named);
      continue;
    }
    for (const { ref, new: id } of entry.changes) if (id !== null && wanted.has(id)) found.set(id, { ref, id });
    if (found.size === wanted.size) return [...found.values()];
  }
  return undefined;
}

async function readSource(repository: PlainRepository, head: TrustedHead, { ref, id }: Source) {
  const { tag } = await readSignedTag(repository, head, id, ref, ["releaser"]);
  const text = parseVersionTag(tag.message);
  if (ref !== `refs/tags/${tag.name}` || !text || tag.type !== "commit") throw altered(ref, "it is no version's tag");
  if (text.repo !== head.entry.repo) throw altered(ref, "it was made for another repository");
  const { files, hash } = await readVersionFiles(repository, tag.object);
  if (hash !== text.hash) throw altered(ref, `its files give ${hash}, not ${text.hash}, which was signed`);
  return { name: tag.name, state: text.state, files };
}
