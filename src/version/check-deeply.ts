import { digestReadableBlobs } from "../git/blob-digests.js";
import type { TreeListing } from "../git/list-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { TreeLister } from "../git/tree-lister.js";
import { parseCapture, type StoredBytes, storedBytesOf } from "../state/capture-manifest.js";
import { isStoredWhole } from "../state/state-store.js";
import { readablePath } from "../system/path-bytes.js";
import type { KnownVersion } from "./history.js";
import type { JudgedVersion, Problem } from "./judge-version.js";
import { manifestLines, versionHash } from "./manifest.js";
import { readStateHistory, stateRefOf } from "./state-history.js";

/**
 * Adds what the content itself says: the version hash, once a tree and from the objects alone, and the capture's digest.
 * All versions together take one git process beside the reader's, which reads each blob once. What cannot be read is a
 * problem of the versions that hold it.
 */
export async function checkDeeply(
  repository: Repository,
  reader: ObjectReader,
  versions: readonly KnownVersion[],
  judged: readonly JudgedVersion[],
  progress: (message: string) => void,
): Promise<JudgedVersion[]> {
  const ours = versions.filter((version) => version.type !== "foreign");
  const content = new Content(reader, new TreeLister(repository, reader));
  for (const [index, version] of ours.entries()) {
    progress(`Listing ${version.tag} (${index + 1} of ${ours.length})`);
    await content.collect(`${version.commit}^{tree}`);
    if (version.state !== null) await content.collect(`${stateOf(version)}^{tree}`);
  }
  progress(`Reading ${content.blobs.size} files`);
  const digests = await digestReadableBlobs(repository, [...content.blobs]);
  const problems = new Map<string, Problem[]>();
  const forgotten = await forgottenAmong(repository, reader, ours);
  for (const [index, version] of ours.entries()) {
    progress(`Hashing ${version.tag} (${index + 1} of ${ours.length})`);
    const found = await hashProblems(version, content, digests);
    const hasState = version.state !== null && !forgotten.has(version.tag);
    const ofState = hasState ? await stateProblems(version, repository, reader, content, digests) : [];
    problems.set(version.tag, [...found, ...ofState]);
  }
  return judged.map((each) => {
    const found = problems.get(each.tag) ?? [];
    const at = forgotten.get(each.tag);
    const told = at === undefined ? each : { ...each, remarks: [`The state captured with it was forgotten at ${at}.`] };
    return found.length === 0 ? told : { ...told, ok: false, problems: [...each.problems, ...found] };
  });
}

/** Versions whose captured state is not here because the log says that it was forgotten; the log is read where one is missing. */
async function forgottenAmong(
  repository: Repository,
  reader: ObjectReader,
  versions: readonly KnownVersion[],
): Promise<ReadonlyMap<string, string>> {
  const stateful = versions.filter((version) => version.state !== null);
  const found = await Promise.all(stateful.map((version) => reader.find(`${stateOf(version)}^{tree}`)));
  const missing = new Set<string>(stateful.filter((_, index) => found[index] === undefined).map(({ tag }) => tag));
  if (missing.size === 0) return new Map();
  const { forgotten } = await readStateHistory(repository);
  return new Map([...forgotten].filter(([tag]) => missing.has(tag)));
}

const stateOf = (version: KnownVersion): string => stateRefOf(version.tag);

/** The trees to be checked. Of all that they hold only the blobs' ids are kept; files are listed anew where they are used. */
class Content {
  readonly blobs = new Set<string>();
  readonly #reader: ObjectReader;
  readonly #lister: TreeLister;
  readonly #ids = new Map<string, string>();
  readonly #collected = new Set<string>();
  readonly #hashes = new Map<string, string>();
  readonly #stored = new Map<string, Promise<boolean>>();

  constructor(reader: ObjectReader, lister: TreeLister) {
    this.#reader = reader;
    this.#lister = lister;
  }

  async collect(treeish: string): Promise<void> {
    const tree = (await this.#reader.find(treeish))?.id;
    if (tree === undefined) return;
    this.#ids.set(treeish, tree);
    if (this.#collected.has(tree)) return;
    this.#collected.add(tree);
    for (const { mode, id } of (await this.#lister.list(tree)) ?? []) if (mode !== "160000") this.blobs.add(id);
  }

  /** Whether the store of large files has these bytes; looked at once, however many captures name them. */
  isStored(repository: Repository, bytes: StoredBytes): Promise<boolean> {
    const known = this.#stored.get(bytes.sha256) ?? isStoredWhole(repository, bytes);
    this.#stored.set(bytes.sha256, known);
    return known;
  }

  /** What was collected; undefined where a tree is missing or damaged. */
  async list(treeish: string): Promise<TreeListing[] | undefined> {
    const tree = this.#ids.get(treeish);
    return tree === undefined ? undefined : await this.#lister.list(tree);
  }

  /** The version hash, or the files that keep it from being computed; undefined where a tree is missing or damaged. */
  async hash(
    treeish: string,
    digests: ReadonlyMap<string, string>,
  ): Promise<string | { readonly unreadable: readonly TreeListing[] } | undefined> {
    const tree = this.#ids.get(treeish) ?? "";
    const known = this.#hashes.get(tree);
    if (known !== undefined) return known;
    const files = await this.list(treeish);
    if (files === undefined) return undefined;
    const unreadable = files.filter(({ mode, id }) => mode !== "160000" && !digests.has(id));
    if (unreadable.length > 0) return { unreadable };
    const hash = versionHash(manifestLines(files, digests));
    this.#hashes.set(tree, hash);
    return hash;
  }
}

async function hashProblems(
  version: KnownVersion,
  content: Content,
  digests: ReadonlyMap<string, string>,
): Promise<Problem[]> {
  const hash = await content.hash(`${version.commit}^{tree}`, digests);
  if (hash === undefined) {
    return [
      {
        code: "commit-missing",
        message: `The commit of ${version.tag}, or a folder of it, is missing here or damaged.`,
      },
    ];
  }
  if (typeof hash === "object")
    return [
      contentMissing(
        version.tag,
        hash.unreadable.map(({ path }) => readablePath(path)),
      ),
    ];
  if (hash === version.hash) return [];
  const message = `The files of ${version.tag} give ${hash}, and its tag says ${version.hash}.`;
  return [{ code: "hash-differs", message }];
}

const SHOWN = 3;

function contentMissing(what: string, paths: readonly string[]): Problem {
  const shown = paths.slice(0, SHOWN).join(", ");
  const more = paths.length > SHOWN ? `, and ${paths.length - SHOWN} more` : "";
  return { code: "content-missing", message: `Files of ${what} are missing here or damaged: ${shown}${more}.` };
}

/** The capture's manifest against the signed tag, and every captured file against the manifest. */
async function stateProblems(
  version: KnownVersion,
  repository: Repository,
  reader: ObjectReader,
  content: Content,
  digests: ReadonlyMap<string, string>,
): Promise<Problem[]> {
  const listed = await content.list(`${stateOf(version)}^{tree}`);
  const ids = new Map((listed ?? []).map((file) => [file.path, file.id]));
  const description = ids.get("capture.json");
  const described = description === undefined ? undefined : await reader.find(description);
  if (described === undefined) {
    return [{ code: "state-not-fetched", message: `The state captured with ${version.tag} is not here.` }];
  }
  const differs = {
    code: "state-differs",
    message: `The state captured with ${version.tag} is not the one it was signed with.`,
  };
  const manifest = parseCapture(described.content, version.state ?? "");
  if (manifest === undefined) return [differs];
  const kept = manifest.files.map((file, index) => ({
    path: file.path,
    ...storedBytesOf(file),
    stored: file.stored === "kai",
    id: ids.get(`files/${index}`),
  }));
  const unreadable: string[] = [];
  for (const { path, id, stored, sha256, size } of kept) {
    const isThere = stored ? await content.isStored(repository, { sha256, size }) : id === undefined || digests.has(id);
    if (!isThere) unreadable.push(path);
  }
  if (unreadable.length > 0) return [contentMissing(`the state captured with ${version.tag}`, unreadable)];
  return kept.every(({ id, sha256, stored }) => stored || digests.get(id ?? "") === sha256) ? [] : [differs];
}
