import { linkSync, lstatSync, renameSync } from "node:fs";
import { mkdir, readdir, rename, rmdir } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { tryGit } from "../git/run-git.js";
import { syncFolder } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { readManifest } from "./stage-worktree.js";
import { type FileIdentity, identityOf, isSameContent, isUntouched, type WorktreeStep } from "./worktree-manifest.js";

/** Files and index that wait in `folder`, and the worktree that they are for. */
export interface StagedWorktree {
  readonly folder: string;
  readonly gitDir: string;
  readonly workTree: string;
}

/**
 * Puts staged files and the staged index in place. Every step looks before it acts, so that it may be run again after a
 * crash at any point. Gives the paths (latin1) at which it found somebody else's change and left that alone.
 */
export async function applyWorktree(
  repository: Repository,
  { folder, gitDir, workTree }: StagedWorktree,
  inherit: readonly number[],
): Promise<string[]> {
  const manifest = await readManifest(folder);
  if (!manifest) return [];
  const placing = new Placing(workTree, folder);
  for (const step of manifest.steps) await placing.take(step);
  await placing.syncFolders();
  const index = path.join(folder, "index");
  if (await findStat(index)) {
    const here = { ...repository, workTree, gitDir };
    const env = { GIT_INDEX_FILE: index, GIT_DIR: gitDir, GIT_WORK_TREE: workTree };
    // Its status says "needs update" for paths that differ, which is no failure.
    await tryGit(here, ["update-index", "-q", "--really-refresh"], { env, inherit, config: ["core.fsync=index"] });
    await rename(index, path.join(gitDir, "index"));
    await syncFolder(gitDir);
  }
  return placing.conflicts;
}

class Placing {
  readonly conflicts: string[] = [];
  readonly #workTree: string;
  readonly #folder: string;
  readonly #touched = new Set<string>();
  readonly #folders = new Map<string, boolean>();

  constructor(workTree: string, folder: string) {
    this.#workTree = workTree;
    this.#folder = folder;
  }

  async take(step: WorktreeStep): Promise<void> {
    if (step.kind === "place") await this.#place(step);
    else if (step.kind === "remove") await this.#remove(step);
    else await mkdir(pathBelow(this.#workTree, step.path), { recursive: true });
  }

  async #place(step: WorktreeStep & { kind: "place" }): Promise<void> {
    const from = pathBelow(`${this.#folder}/files`, step.path);
    // Gone from here: it was put in place before, and what became of it since is the user's.
    if (!(await findStat(from))) return;
    const target = pathBelow(this.#workTree, step.path);
    const parent = parentOf(step.path);
    if (!(await this.#makeFolder(parent))) return this.#conflict(step.path);
    if (isFolder(target) && !(await this.#removeHollow(step.path))) return this.#conflict(step.path);
    if (!this.#replace(target, from, step)) return this.#conflict(step.path);
    this.#touched.add(parent);
  }

  /**
   * Puts the staged file in place of the one that the plan saw, which keeps a second name: at no moment is nothing there, and
   * an edit between the last look and the rename is found by it and put back. False where somebody else's content stays.
   */
  #replace(target: Buffer, from: Buffer, { before, aside }: WorktreeStep & { kind: "place" }): boolean {
    const kept = aside === null ? undefined : path.join(this.#folder, "removed", aside);
    // Kept by a run that was cut short here: that changed the ctime, and nothing else.
    const linked = kept !== undefined && identityAt(kept) !== null;
    const now = identityAt(target);
    const same = linked && before && now ? isSameContent(before, now) : isUntouched(before, now);
    if (!same) return false;
    const isKept = kept !== undefined && (linked || linkWherePossible(target, kept));
    renameSync(from, target);
    const last = isKept ? identityAt(kept) : null;
    if (before === null || last === null || isSameContent(before, last)) return true;
    renameSync(kept ?? "", target);
    return false;
  }

  async #remove(step: WorktreeStep & { kind: "remove" }): Promise<void> {
    const aside = path.join(this.#folder, "removed", step.aside);
    if (step.before === null || (await findStat(aside))) return;
    if (!(await this.#isFolder(parentOf(step.path)))) return;
    const target = pathBelow(this.#workTree, step.path);
    const now = await findStat(target);
    if (now === undefined) return;
    if (now.isDirectory() || !isUntouched(step.before, identityOf(now))) return this.#conflict(step.path);
    renameSync(target, aside);
    this.#touched.add(parentOf(step.path));
    await this.#removeEmptyAbove(step.path);
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

/** Gives a file a second name; false on a file system that has none, or where another user's file may not have one. */
function linkWherePossible(file: Buffer, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch {
    return false;
  }
}

const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")));
