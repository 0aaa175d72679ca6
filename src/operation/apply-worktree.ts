import { type BigIntStats, linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";
import { mkdir, readdir, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { makeFolder, syncFolder } from "../system/durable-file.js";
import { keepSecondName } from "../system/move-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { replaceIndex } from "./git-index.js";
import { kaiFolderOf } from "./kai-folder.js";
import { readManifest } from "./staging-folder.js";
import { type FileIdentity, identityOf, isSameContent, isUntouched, type WorktreeStep } from "./worktree-manifest.js";

/** What waits in `folder`, and the worktree that files and index in it are for; undefined in a bare repository. */
export interface StagedWorktree {
  readonly folder: string;
  readonly gitDir: string;
  readonly workTree: string | undefined;
}

/**
 * Puts staged files and the staged index in place; whoever holds the index syncs its folder. Every step looks before it acts, so that it may be run again after a
 * crash at any point. Gives the paths (latin1) at which it found somebody else's change and left that alone.
 */
export async function applyWorktree(
  repository: Repository,
  { folder, gitDir, workTree }: StagedWorktree,
  inherit: readonly number[],
): Promise<string[]> {
  const manifest = await readManifest(folder);
  if (!manifest || workTree === undefined) return [];
  const placing = new Placing(workTree, folder);
  await placing.findNamed();
  for (const step of manifest.steps) await placing.take(step);
  await placing.syncFolders();
  const index = path.join(folder, "index");
  if (await findStat(index)) {
    const here = { ...repository, workTree, gitDir };
    const env = { GIT_INDEX_FILE: index, GIT_DIR: gitDir, GIT_WORK_TREE: workTree };
    // Its status says "needs update" for paths that differ, which is no failure.
    await tryGit(here, ["update-index", "-q", "--really-refresh"], { env, inherit, config: ["core.fsync=index"] });
    await replaceIndex(index, path.join(gitDir, "index"), kaiFolderOf(repository).staging);
  }
  return placing.conflicts;
}

type PlaceStep = WorktreeStep & { kind: "place" };
type RemoveStep = WorktreeStep & { kind: "remove" };

class Placing {
  readonly conflicts: string[] = [];
  readonly #workTree: string;
  readonly #folder: string;
  readonly #touched = new Set<string>();
  readonly #folders = new Map<string, boolean>();
  /** Inodes of files that have, or had, a name of ours: to give or take it changes their ctime under every name that they have. */
  readonly #named = new Set<string>();

  constructor(workTree: string, folder: string) {
    this.#workTree = workTree;
    this.#folder = folder;
  }

  /** Those that a run that was cut short kept. */
  async findNamed(): Promise<void> {
    const removed = path.join(this.#folder, "removed");
    for (const name of await readdir(removed).catch(() => [])) {
      const kept = identityAt(path.join(removed, name));
      if (kept !== null) this.#named.add(kept.ino);
    }
  }

  async take(step: WorktreeStep): Promise<void> {
    try {
      if (step.kind === "place") await this.#place(step);
      else if (step.kind === "remove") await this.#remove(step);
      else await makeFolder(pathBelow(this.#workTree, step.path), 0o777);
    } catch (cause) {
      // Another file system, or the file of another, was mounted there: that stays, and is no reason never to come to an end.
      if (!["EXDEV", "EBUSY"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause;
      this.#conflict(step.path);
    }
  }

  async #place(step: PlaceStep): Promise<void> {
    const from = pathBelow(`${this.#folder}/files`, step.path);
    const target = pathBelow(this.#workTree, step.path);
    const staged = await findStat(from);
    // Gone from here: it was put in place before, and what became of it since is the user's.
    if (!staged) return this.#isKept(step) && this.#putBackEdited(target, step) ? this.#conflict(step.path) : undefined;
    const parent = parentOf(step.path);
    if (!(await this.#makeFolder(parent))) return this.#conflict(step.path);
    if (isFolder(target) && !(await this.#removeHollow(step.path))) return this.#conflict(step.path);
    if (!this.#replace(target, from, staged, step)) return this.#conflict(step.path);
    this.#touched.add(parent);
  }

  /**
   * Puts the staged file in place of the one that the plan saw, which keeps a second name: at no moment is nothing there, and
   * an edit between the last look and the rename is found by it and put back. False where somebody else's content stays.
   */
  #replace(target: Buffer, from: Buffer, staged: BigIntStats, step: PlaceStep): boolean {
    const { before, aside } = step;
    const now = identityAt(target);
    if (before === null || aside === null) {
      if (now === null) return moveToNothing(from, target, staged.isFile());
      if (now.ino !== String(staged.ino)) return false;
      // It has both names: the run before was cut short between giving the one and taking the other.
      unlinkSync(from);
      return true;
    }
    if (!this.#isStill(before, now)) return false;
    this.#named.add(before.ino);
    keepSecondName(target, this.#keptAt(aside));
    renameSync(from, target);
    return !this.#putBackEdited(target, step);
  }

  /** Whether the file that was replaced had been edited at the last moment. Its bytes are put back, unless the new file was edited, too. */
  #putBackEdited(target: Buffer, { before, aside, placed }: PlaceStep): boolean {
    if (before === null || aside === null) return false;
    const kept = this.#keptAt(aside);
    const last = identityAt(kept);
    if (last === null || isSameContent(before, last)) return false;
    const now = identityAt(target);
    if (now !== null && isSameContent(placed, now)) renameSync(kept, target);
    return true;
  }

  async #remove(step: RemoveStep): Promise<void> {
    const { before } = step;
    if (before === null) return;
    const aside = this.#keptAt(step.aside);
    const target = pathBelow(this.#workTree, step.path);
    if (identityAt(aside) === null) {
      if (!(await this.#isFolder(parentOf(step.path)))) return;
      const now = await findStat(target);
      if (now === undefined) return;
      if (now.isDirectory() || !this.#isStill(before, identityOf(now))) return this.#conflict(step.path);
      this.#named.add(before.ino);
      renameSync(target, aside);
      this.#touched.add(parentOf(step.path));
    } else if (!this.#isKept(step)) return;
    const last = identityAt(aside);
    if (last === null || isSameContent(before, last)) return this.#removeEmptyAbove(step.path);
    // Edited between the last look and the rename.
    if (await this.#makeFolder(parentOf(step.path))) moveToNothing(aside, target, true);
    this.#touched.add(parentOf(step.path));
    this.#conflict(step.path);
  }

  /** Whether the very file is kept that the plan saw: in a copy of the repository it is another, of which nothing can be told. */
  #isKept({ before, aside }: PlaceStep | RemoveStep): boolean {
    return aside !== null && before !== null && identityAt(this.#keptAt(aside))?.ino === before.ino;
  }

  #keptAt(aside: string): string {
    return path.join(this.#folder, "removed", aside);
  }

  /** Whether what the plan saw is there and unchanged. */
  #isStill(before: FileIdentity, now: FileIdentity | null): boolean {
    return now !== null && this.#named.has(now.ino) ? isSameContent(before, now) : isUntouched(before, now);
  }

  #conflict(name: string): void {
    this.conflicts.push(name);
  }

  async #removeEmptyAbove(name: string): Promise<void> {
    for (let folder = parentOf(name); folder !== ""; folder = parentOf(folder)) {
      if (!(await this.#removeEmpty(folder))) return;
    }
  }

  async #removeEmpty(name: string): Promise<boolean> {
    try {
      await rmdir(pathBelow(this.#workTree, name));
      this.#folders.delete(name);
      this.#touched.add(parentOf(name));
      return true;
    } catch {
      return false;
    }
  }

  /** Removes a folder that holds nothing but empty folders. */
  async #removeHollow(name: string): Promise<boolean> {
    const here = pathBelow(this.#workTree, name);
    for (const entry of await readdir(here, { withFileTypes: true, encoding: "latin1" })) {
      if (!entry.isDirectory() || !(await this.#removeHollow(`${name}/${entry.name}`))) return false;
    }
    return this.#removeEmpty(name);
  }

  /** Makes a folder and those above it, following no link on the way; false where something else is there. */
  async #makeFolder(name: string): Promise<boolean> {
    if (name === "") return true;
    if (!(await this.#makeFolder(parentOf(name)))) return false;
    const known = this.#folders.get(name);
    if (known !== undefined) return known;
    const here = pathBelow(this.#workTree, name);
    const stat = await findStat(here);
    if (stat === undefined) {
      await mkdir(here);
      this.#touched.add(parentOf(name));
    }
    const is = stat === undefined || stat.isDirectory();
    this.#folders.set(name, is);
    return is;
  }

  /** Whether `name` and all above it are real folders. */
  async #isFolder(name: string): Promise<boolean> {
    if (name === "") return true;
    if (!(await this.#isFolder(parentOf(name)))) return false;
    return (await findStat(pathBelow(this.#workTree, name)))?.isDirectory() === true;
  }

  async syncFolders(): Promise<void> {
    for (const folder of this.#touched) {
      await syncFolder(folder === "" ? this.#workTree : pathBelow(this.#workTree, folder));
    }
  }
}

const isFolder = (file: Buffer): boolean => lstatSync(file, { throwIfNoEntry: false })?.isDirectory() === true;

const identityAt = (file: Buffer | string): FileIdentity | null => {
  const stat = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : identityOf(stat);
};

/** Moves a file to where nothing is; false where something came to be there since the last look, which a rename would overwrite. */
function moveToNothing(from: Buffer | string, target: Buffer, isFile: boolean): boolean {
  try {
    // Of a link some systems would name what it leads to.
    if (!isFile) throw new Error("no file");
    linkSync(from, target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false;
    renameSync(from, target);
    return true;
  }
  unlinkSync(from);
  return true;
}

const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));
