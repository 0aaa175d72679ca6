import { digestBlobs } from "../git/blob-digests.js";
import type { TreeListing } from "../git/list-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { TreeLister } from "../git/tree-lister.js";
import { type CaptureManifest, captureDigest } from "../state/capture-manifest.js";
import type { KnownVersion } from "./history.js";
import type { JudgedVersion, Problem } from "./judge-version.js";
import { manifestLines, versionHash } from "./manifest.js";

/**
 * Adds what the content itself says: the version hash, once a tree and from the objects alone, and the capture's digest.
 * All versions together take one git process beside the reader's, which reads each blob once. E116 where one is missing.
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
  const digests = await digestBlobs(repository, [...content.blobs]);
  const problems = new Map<string, Problem[]>();
  for (const [index, version] of ours.entries()) {
    progress(`Hashing ${version.tag} (${index + 1} of ${ours.length})`);
    const found = await hashProblems(version, content, digests);
    if (version.state !== null) found.push(...(await stateProblems(version, reader, content, digests)));
    problems.set(version.tag, found);
  }
  return judged.map((each) => {
    const found = problems.get(each.tag) ?? [];
    return found.length === 0 ? each : { ...each, ok: false, problems: [...each.problems, ...found] };
  });
}

const stateOf = (version: KnownVersion): string => `refs/kai/state/${version.tag}`;

/** The trees to be checked. Of all that they hold only the blobs' ids are kept; files are listed anew where they are used. */
class Content {
  readonly blobs = new Set<string>();
  readonly #reader: ObjectReader;
  readonly #lister: TreeLister;
  readonly #ids = new Map<string, string>();
  readonly #collected = new Set<string>();
  readonly #hashes = new Map<string, string>();

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

  /** What was collected; undefined where a tree is missing. */
  async list(treeish: string): Promise<TreeListing[] | undefined> {
    const tree = this.#ids.get(treeish);
    return tree === undefined ? undefined : await this.#lister.list(tree);
  }

  async hash(treeish: string, digests: ReadonlyMap<string, string>): Promise<string | undefined> {
    const tree = this.#ids.get(treeish) ?? "";
    const known = this.#hashes.get(tree);
    if (known !== undefined) return known;
    const files = await this.list(treeish);
    if (files === undefined) return undefined;
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
    return [{ code: "commit-missing", message: `The commit of ${version.tag}, or a folder of it, is not here.` }];
  }
  if (hash === version.hash) return [];
  const message = `The files of ${version.tag} give ${hash}, and its tag says ${version.hash}.`;
  return [{ code: "hash-differs", message }];
}

/** The capture's manifest against the signed tag, and every captured file against the manifest. */
async function stateProblems(
  version: KnownVersion,
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
  let manifest: CaptureManifest;
  try {
    manifest = JSON.parse(described.content.toString()) as CaptureManifest;
    if (captureDigest(manifest) !== version.state) return [differs];
  } catch {
    return [differs];
  }
  const whole = manifest.files.every((file, index) => digests.get(ids.get(`files/${index}`) ?? "") === file.sha256);
  return whole ? [] : [differs];
}
