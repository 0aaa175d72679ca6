import { access, chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../../error.js";
import type { Repository } from "../../git/repository.js";
import { tryGit } from "../../git/run-git.js";
import { writeTree } from "../../git/write-tree.js";
import { flushFileSystem, giveFolder } from "../../podman/owner-of-files.js";
import type { Namespace } from "../../podman/plan-container.js";
import { ownerOutside } from "../../podman/user-mapping.js";
import { identityOf, isAlive } from "../../system/process-identity.js";

export interface VersionTreeRequest {
  repository: Repository;
  /** Object id of a commit. */
  commit: string;
  /** The product's own folder in the git common dir. */
  kaiDir: string;
  /** Who works on the files in the sandbox, and which namespaces that has of its own: by both, whose they are here. */
  user: { uid: number; gid: number };
  namespaces: readonly Namespace[];
  env: NodeJS.ProcessEnv;
}

export interface VersionTree {
  /** Object id of the tree. */
  tree: string;
  folder: string;
}

const PART = ".part.";

/**
 * The files of a commit, written once for each tree and user, and shared by every sandbox over it. Made aside and renamed,
 * so one that is there is whole. Nothing of the repository's configuration is read: see docs/adr/0005.
 */
export async function versionTree(request: VersionTreeRequest): Promise<VersionTree> {
  const { repository, commit, kaiDir, user, namespaces } = request;
  const tree = await treeOf(repository, commit);
  const trees = path.join(kaiDir, "trees");
  const owner = ownerOutside(user, namespaces);
  const folder = path.join(trees, `${tree}-${owner.uid}-${owner.gid}`);
  if (!(await exists(folder))) {
    await mkdir(trees, { recursive: true, mode: 0o700 });
    await sweepParts(trees);
    await placeTree(request, tree, trees, folder);
  }
  return { tree, folder };
}

async function treeOf(repository: Repository, commit: string): Promise<string> {
  const found = await tryGit(repository, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{tree}`]);
  if (found.exitCode === 0) return found.stdout.toString().trim();
  throw new KaiError("E125", `The commit ${commit} is not in this repository.`, {
    hint: "Fetch it first; in a shallow clone `git fetch --unshallow` brings it.",
  });
}

async function placeTree(
  { repository, user, namespaces, env }: VersionTreeRequest,
  tree: string,
  trees: string,
  folder: string,
): Promise<void> {
  const owner = ((await identityOf(process.pid)) ?? "").replaceAll(":", ".");
  const part = await mkdtemp(path.join(trees, `${PART}${owner}.`));
  try {
    const files = path.join(part, "files");
    await mkdir(files);
    await chmod(files, 0o755);
    await writeTree(repository, tree, files, part);
    await giveFolder(files, user, env, namespaces);
    await flushFileSystem(part, env);
    await rename(files, folder);
  } catch (cause) {
    // Another process was first; theirs has the same name, so the same content.
    if (!(await exists(folder))) throw cause;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** What a process that died was writing. */
async function sweepParts(trees: string): Promise<void> {
  for (const name of await readdir(trees)) {
    if (!name.startsWith(PART)) continue;
    const [boot, pid, start] = name.slice(PART.length).split(".");
    if (!(await isAlive(`${boot}:${pid}:${start}`))) await rm(path.join(trees, name), { recursive: true, force: true });
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
