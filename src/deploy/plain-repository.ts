import { createHash } from "node:crypto";
import fs from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { type ObjectType, objectId, parseTree, type TreeEntry } from "../git/object.js";

type IsomorphicGit = typeof import("isomorphic-git")["default"];

const ID_BYTES = 20;

/**
 * A repository with a working tree, read in this process by isomorphic-git: no git binary, no child process, nothing
 * written. E120 for what that library cannot read.
 */
export class PlainRepository {
  readonly workTree: string;
  readonly gitDir: string;
  /** False where the file system keeps no executable bits (`core.fileMode`). */
  readonly keepsModes: boolean;
  readonly #git: IsomorphicGit;
  /** Indexes of packs, kept by isomorphic-git between reads. */
  readonly #cache = {};

  private constructor(workTree: string, gitDir: string, keepsModes: boolean, git: IsomorphicGit) {
    this.workTree = workTree;
    this.gitDir = gitDir;
    this.keepsModes = keepsModes;
    this.#git = git;
  }

  /** The repository whose working tree holds `dir`. E104 where there is none. */
  static async open(dir: string): Promise<PlainRepository> {
    const workTree = await findWorkTree(path.resolve(dir));
    const gitDir = path.join(workTree, ".git");
    if (!(await lstat(gitDir)).isDirectory()) {
      throw unsupported("a linked worktree or a submodule, whose .git is a file", "Load the main working tree");
    }
    // The default export: it alone is there whether the library is bundled or not.
    const { default: git } = await import("isomorphic-git");
    const get = async (key: string) => String((await git.getConfig({ fs, gitdir: gitDir, path: key })) ?? "");
    const objectFormat = (await get("extensions.objectformat")).toLowerCase();
    if (objectFormat !== "" && objectFormat !== "sha1") throw unsupported(`${objectFormat.toUpperCase()} repositories`);
    const refStorage = (await get("extensions.refstorage")).toLowerCase();
    if (refStorage !== "" && refStorage !== "files") throw unsupported(`repositories with ${refStorage} refs`);
    if ((await get("core.bare")) === "true" || (await get("core.worktree")) !== "") {
      throw unsupported("a repository without a working tree beside its .git", "Load a plain clone of it");
    }
    return new PlainRepository(workTree, gitDir, (await get("core.filemode")) !== "false", git);
  }

  /** The object id that a ref holds, tags not peeled; undefined where there is no such ref. */
  async findRef(name: string): Promise<string | undefined> {
    try {
      return await this.#git.resolveRef({ fs, gitdir: this.gitDir, ref: name });
    } catch (cause) {
      if (cause instanceof this.#git.Errors.NotFoundError) return undefined;
      throw cause;
    }
  }

  /** An object's bytes. E116 where it is missing or of another type, E102 where its bytes are not those of its id. */
  async read(id: string, type: ObjectType): Promise<Buffer> {
    const found = await this.#git
      .readObject({ fs, gitdir: this.gitDir, oid: id, format: "content", cache: this.#cache })
      .catch((cause: unknown) => {
        const damaged = cause instanceof Error && cause.message.includes("SHA check failed");
        throw damaged ? damagedObject(id, cause) : missingObject(id, type, cause);
      });
    if (found.type !== type || !(found.object instanceof Uint8Array)) throw missingObject(id, type);
    const content = Buffer.from(found.object);
    if (objectId(type, content, "sha1") !== id) throw damagedObject(id);
    return content;
  }

  async readTree(id: string): Promise<TreeEntry[]> {
    const entries = parseTree(await this.read(id, "tree"), ID_BYTES);
    if (entries === undefined) throw damagedObject(id);
    return entries;
  }

  /** The tree of a commit of any make. */
  async treeOf(commit: string): Promise<string> {
    const tree = /^tree ([0-9a-f]{40})\n/.exec((await this.read(commit, "commit")).toString("latin1"))?.[1];
    if (tree === undefined) throw damagedObject(commit);
    return tree;
  }

  /** Whether an operation is under way or was interrupted, so that log and refs may say different things until it has ended. */
  async isUnfinished(): Promise<boolean> {
    const names = await readdir(path.join(this.gitDir, "kai", "journal")).catch(() => []);
    return names.some((name) => /^[0-9A-Z]{26}$/.test(name));
  }
}

export const sha256 = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

async function findWorkTree(dir: string): Promise<string> {
  for (let at = dir; ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".git"))) return at;
    if (fs.existsSync(path.join(at, "HEAD")) && fs.existsSync(path.join(at, "objects"))) {
      throw unsupported("a bare repository", "Load a clone of it that has a working tree");
    }
    if (path.dirname(at) === at) break;
  }
  throw new KaiError("E104", `${dir} is not in a git repository.`, {
    hint: "Give the folder in which the agent's repository is checked out.",
  });
}

function unsupported(what: string, instead?: string): KaiError {
  return new KaiError("E120", `The loader does not read ${what}.`, {
    hint: `${instead ?? "Load a clone in git's usual format"}, or check with \`git kai-version verify\`, which uses git itself.`,
  });
}

function missingObject(id: string, type: ObjectType, cause?: unknown): KaiError {
  return new KaiError("E116", `The repository lacks the ${type} ${id}, or it cannot be read.`, {
    hint: "`git fsck` says more. A shallow or partial clone, or one that borrows objects, has to be made whole first: `git fetch --unshallow`, `git repack -ad`",
    cause,
  });
}

function damagedObject(id: string, cause?: unknown): KaiError {
  return new KaiError("E102", `The object ${id} is damaged: its bytes are not those that its id names.`, {
    hint: "`git fsck` shows what else is. Clone the agent again from a copy that you trust.",
    data: { paths: [] },
    cause,
  });
}
