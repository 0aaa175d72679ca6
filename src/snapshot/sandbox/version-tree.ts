import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { ulid } from "ulid";
import type { Repository } from "../../git/repository.js";
import { writeTree } from "../../git/write-tree.js";
import { flushFileSystem, giveFolder } from "../../podman/owner-of-files.js";
import type { Namespace } from "../../podman/plan-container.js";
import { ownerOutside } from "../../podman/user-mapping.js";
import { makeFolder } from "../../system/durable-file.js";
import { lockFile } from "../../system/file-lock.js";
import { folderFingerprint } from "../../system/folder-fingerprint.js";
import { isAlive, ownIdentity } from "../../system/process-identity.js";
import { FINGERPRINT, filesOf, PART, setAside, TREES_LOCK, treesIn } from "./trees-folder.js";

export interface VersionTreeRequest {
  repository: Repository;
  /** Object id of a tree. */
  tree: string;
  /** The product's own folder in the git common dir. */
  kaiDir: string;
  /** Who works on the files in the sandbox, and which namespaces that has of its own: by both, whose they are here. */
  user: { uid: number; gid: number };
  namespaces: readonly Namespace[];
  env: NodeJS.ProcessEnv;
}

const LOCK_PATIENCE_MS = 60_000;

export interface VersionTree {
  /** The folder with the tree's files. */
  readonly folder: string;
  /** They are all there, and nothing else is. */
  readonly ready: Promise<void>;
}

/**
 * The files of a tree, written once for each tree and user, and shared by every sandbox over it. Made aside and renamed, and taken
 * only where nothing in them has changed since; else they are written again. Nothing of the repository's configuration is read:
 * see docs/adr/0005.
 */
export function versionTree(request: VersionTreeRequest): VersionTree {
  const { tree, kaiDir, user, namespaces } = request;
  const trees = treesIn(kaiDir);
  const owner = ownerOutside(user, namespaces);
  const home = path.join(trees, `${tree}.${owner.uid}.${owner.gid}`);
  const ready = prove(request, trees, home);
  // Whoever waits for it is told of its failure.
  ready.catch(() => {});
  return { folder: filesOf(home), ready };
}

async function prove(request: VersionTreeRequest, trees: string, home: string): Promise<void> {
  // Before it is looked at, so that nobody takes it away as unused.
  await utimes(path.join(home, FINGERPRINT), new Date(), new Date()).catch(() => {});
  if (await isUnchanged(home, request.env)) return;
  await makeFolder(trees);
  await sweepParts(trees);
  await placeTree(request, trees, home);
}

async function isUnchanged(home: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const known = await readFile(path.join(home, FINGERPRINT), "utf8").catch(() => undefined);
  return known !== undefined && known === (await folderFingerprint(filesOf(home), env));
}

async function placeTree(
  { repository, tree, user, namespaces, env }: VersionTreeRequest,
  trees: string,
  home: string,
): Promise<void> {
  const owner = ownIdentity().replaceAll(":", ".");
  const part = await mkdtemp(path.join(trees, `${PART}${owner}.`));
  try {
    const made = path.join(part, "made");
    const files = filesOf(made);
    await makeFolder(files, 0o755);
    await writeTree(repository, tree, files, part);
    await giveFolder(files, user, env, namespaces);
    await writeFile(path.join(made, FINGERPRINT), (await folderFingerprint(files, env)) ?? "", { mode: 0o600 });
    await flushFileSystem(part, env);
    await putInPlace(made, trees, home, env);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** One at a time: what another process has put there meanwhile is whole, and may be in use. */
async function putInPlace(made: string, trees: string, home: string, env: NodeJS.ProcessEnv): Promise<void> {
  const request = { holder: "version tree", waitMs: LOCK_PATIENCE_MS };
  const lock = await lockFile(path.join(trees, TREES_LOCK), request, env);
  try {
    if (await isUnchanged(home, env)) return;
    // A sandbox may still stand on it.
    await rename(home, setAside(home, ulid())).catch(ignoreMissing);
    await rename(made, home);
  } finally {
    await lock.release();
  }
}

function ignoreMissing(cause: NodeJS.ErrnoException): void {
  if (cause.code !== "ENOENT") throw cause;
}

/** What a process that died was writing. */
async function sweepParts(trees: string): Promise<void> {
  for (const name of await readdir(trees)) {
    if (!name.startsWith(PART)) continue;
    const [boot, pid, start] = name.slice(PART.length).split(".");
    if (!isAlive(`${boot}:${pid}:${start}`)) await rm(path.join(trees, name), { recursive: true, force: true });
  }
}
