import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { repositoryEnvironment } from "../git/environment.js";
import type { ObjectFormat, Repository } from "../git/repository.js";
import { runGit, tryGit } from "../git/run-git.js";
import { flushFileSystem, giveFolder } from "../podman/owner-of-files.js";
import { identityOf, isAlive } from "../system/process-identity.js";

export interface VersionTreeRequest {
  repository: Repository;
  /** Object id of a commit. */
  commit: string;
  /** The product's own folder in the git common dir. */
  kaiDir: string;
  /** Who works on the files in the sandbox. */
  user: { uid: number; gid: number };
  env: NodeJS.ProcessEnv;
}

export interface VersionTree {
  /** Object id of the tree. */
  tree: string;
  folder: string;
}

const PART = ".part.";

/** Above all attributes that a version brings: its bytes are written as they are, whatever it says of filters and line ends. */
const NEUTRAL_ATTRIBUTES = "* -text !eol -ident !filter !working-tree-encoding\n";

/**
 * The files of a commit, written once for each tree and user, and shared by every sandbox over it. Made aside and renamed,
 * so one that is there is whole. Nothing of the repository's configuration is read: see docs/adr/0005.
 */
export async function versionTree(request: VersionTreeRequest): Promise<VersionTree> {
  const { repository, commit, kaiDir, user } = request;
  const tree = await treeOf(repository, commit);
  const trees = path.join(kaiDir, "trees");
  const folder = path.join(trees, `${tree}-${user.uid}-${user.gid}`);
  if (!(await exists(folder))) {
    await mkdir(trees, { recursive: true, mode: 0o700 });
    await sweepParts(trees);
    await writeTree(request, tree, trees, folder);
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

async function writeTree(
  { repository, user, env }: VersionTreeRequest,
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
    const shadow = await shadowRepository(repository, part, files);
    await runGit(shadow, ["read-tree", tree]);
    await runGit(shadow, ["checkout-index", "--all"]);
    await giveFolder(files, user, env);
    await flushFileSystem(part, env);
    await rename(files, folder);
  } catch (cause) {
    // Another process was first; theirs has the same name, so the same content.
    if (!(await exists(folder))) throw cause;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** A repository with no configuration, hooks or attributes of its own, that only borrows the other one's objects. */
async function shadowRepository(repository: Repository, part: string, workTree: string): Promise<Repository> {
  const gitDir = path.join(part, "git");
  await mkdir(path.join(gitDir, "info"), { recursive: true });
  await mkdir(path.join(gitDir, "refs"));
  await writeFile(path.join(gitDir, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(path.join(gitDir, "info", "attributes"), NEUTRAL_ATTRIBUTES);
  await writeFile(path.join(gitDir, "config"), configOf(repository.objectFormat));
  const env: NodeJS.ProcessEnv = {
    ...repositoryEnvironment(withoutGitVariables(repository.env), { gitDir, workTree }),
    GIT_OBJECT_DIRECTORY: repository.env["GIT_OBJECT_DIRECTORY"] ?? path.join(repository.commonDir, "objects"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_SYSTEM: "/dev/null",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_INDEX_FILE: path.join(part, "index"),
  };
  // A hook's quarantine keeps what was pushed apart from what was there before.
  const alternates = repository.env["GIT_ALTERNATE_OBJECT_DIRECTORIES"];
  if (alternates !== undefined) env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = alternates;
  return { ...repository, gitDir, commonDir: gitDir, workTree, bare: false, env };
}

function configOf(format: ObjectFormat): string {
  const core = "[core]\n\tbare = false\n\tsymlinks = true\n\tfilemode = true\n\trepositoryformatversion = ";
  return format === "sha256" ? `${core}1\n[extensions]\n\tobjectformat = sha256\n` : `${core}0\n`;
}

function withoutGitVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("GIT_")));
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
