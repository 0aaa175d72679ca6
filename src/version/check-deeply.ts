import { digestBlobs } from "../git/blob-digests.js";
import { listTree } from "../git/list-tree.js";
import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { type CaptureManifest, captureDigest } from "../state/capture-manifest.js";
import { hashTree } from "./hash-tree.js";
import type { KnownVersion } from "./history.js";
import type { JudgedVersion, Problem } from "./judge-version.js";

/** Adds what the content itself says: the version hash, once a tree and from the objects alone, and the capture's digest. */
export async function checkDeeply(
  repository: Repository,
  reader: ObjectReader,
  versions: readonly KnownVersion[],
  judged: readonly JudgedVersion[],
  progress: (message: string) => void,
): Promise<JudgedVersion[]> {
  const digests = new Map<string, string>();
  const cache = {
    get: (id: string) => digests.get(id),
    add: async (fresh: ReadonlyMap<string, string>) => {
      for (const [id, digest] of fresh) digests.set(id, digest);
    },
  };
  const hashes = new Map<string, string>();
  const problems = new Map<string, Problem[]>();
  for (const [index, version] of versions.entries()) {
    if (version.type === "foreign") continue;
    progress(`Hashing ${version.tag} (${index + 1} of ${versions.length})`);
    const found: Problem[] = [];
    const tree = (await reader.find(`${version.commit}^{tree}`))?.id;
    if (tree === undefined) {
      found.push({ code: "commit-missing", message: `The commit of ${version.tag} is not here.` });
    } else {
      const hash = hashes.get(tree) ?? (await hashTree(repository, tree, cache)).hash;
      hashes.set(tree, hash);
      if (hash !== version.hash) {
        found.push({
          code: "hash-differs",
          message: `The files of ${version.tag} give ${hash}, and its tag says ${version.hash}.`,
        });
      }
    }
    if (version.state !== null) found.push(...(await stateProblems(repository, reader, version)));
    problems.set(version.tag, found);
  }
  return judged.map((each) => {
    const found = problems.get(each.tag) ?? [];
    return found.length === 0 ? each : { ...each, ok: false, problems: [...each.problems, ...found] };
  });
}

/** The capture's manifest against the signed tag, and every captured file against the manifest. */
async function stateProblems(repository: Repository, reader: ObjectReader, version: KnownVersion): Promise<Problem[]> {
  const ref = `refs/kai/state/${version.tag}`;
  const described = await reader.find(`${ref}:capture.json`);
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
  const ids = new Map((await listTree(repository, ref)).map((file) => [file.path, file.id]));
  const digests = await digestBlobs(repository, [...ids.values()]);
  const whole = manifest.files.every((file, index) => digests.get(ids.get(`files/${index}`) ?? "") === file.sha256);
  return whole ? [] : [differs];
}
