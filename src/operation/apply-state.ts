import { type BigIntStats, chmodSync, chownSync, fchmodSync, unlinkSync } from "node:fs";
import path from "node:path";
import { syncFolder } from "../system/durable-file.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { keepSecondName, moveFile, moveFileToNothing } from "../system/move-file.js";
import { isOpenSomewhere } from "../system/open-files.js";
import { findStat } from "../system/path-bytes.js";
import { removeEmptyFolders } from "../system/remove-empty-folders.js";
import { restoreSqlite } from "../system/restore-sqlite.js";
import { SQLITE_SIBLINGS } from "../system/sqlite.js";
import { looksLikeSqlite } from "../system/sqlite-file.js";
import { withFile } from "../system/with-file.js";
import type { StagedWorktree } from "./apply-worktree.js";
import { StateKeeper } from "./kept-state.js";
import { readApplied, readStagedState, type StagedStateFile, stagedFile, writeApplied } from "./staged-state.js";

/**
 * Puts staged state in place of the live one: files by a rename, databases through SQLite itself. No link is followed, and
 * each step looks before it acts, so that it may be run again after a crash at any point; once all is done it never is again,
 * because what is there then is the agent's. Gives the paths (latin1) that were left alone: a link, a folder or a database that
 * somebody has open is in the way. Where a run before was interrupted `kept` is where that is kept which was written since.
 */
export async function applyState(
  { folder, workTree }: StagedWorktree,
  env: NodeJS.ProcessEnv,
  inherit: readonly number[],
  kept?: string,
): Promise<string[]> {
  const staged = await readStagedState(folder);
  if (staged === undefined || workTree === undefined) return [];
  const before = await readApplied(folder);
  if (before !== undefined) return before;
  const keeper = kept === undefined ? undefined : new StateKeeper(kept, path.join(folder, "state"), staged.seen, env);
  const placing = new StatePlacing(workTree, folder, env, inherit, keeper);
  // First, so that a file may become a folder.
  for (const [number, name] of staged.removed.entries()) await placing.remove(name, `removed-${number}`);
  for (const [number, file] of staged.files.entries()) await placing.place(file, number);
  placing.syncFolders();
  await syncFolder(path.join(folder, "state"));
  await writeApplied(folder, placing.conflicts);
  return placing.conflicts;
}

class StatePlacing {
  readonly conflicts: string[] = [];
  readonly #workTree: string;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #inherit: readonly number[];
  readonly #keeper: StateKeeper | undefined;
  readonly #removed: string[] = [];
  readonly #touched = new Set<string>();

  constructor(
    workTree: string,
    folder: string,
    env: NodeJS.ProcessEnv,
    inherit: readonly number[],
    keeper: StateKeeper | undefined,
  ) {
    this.#workTree = workTree;
    this.#folder = folder;
    this.#env = env;
    this.#inherit = inherit;
    this.#keeper = keeper;
  }

  async remove(name: string, aside: string): Promise<void> {
    this.#removed.push(name);
    // It was removed before, and what came since is the user's.
    if (await findStat(this.#keptAt(aside))) return;
    await this.#in(name, false, async (parent, base) => {
      const now = parent.find(base);
      if (now === undefined) return true;
      if (!now.isFile() || (await this.#isInUse(parent, base, now))) return false;
      await this.#keeper?.keep(parent, base, name, undefined);
      if (looksLikeSqlite(parent.at(base))) this.#moveSiblings(parent, base, aside);
      moveFile(parent.at(base), this.#keptAt(aside));
      return true;
    });
  }

  async place(file: StagedStateFile, number: number): Promise<void> {
    const from = stagedFile(this.#folder, number);
    const staged = await findStat(from);
    // Gone from here: it was put in place before.
    if (!staged) return;
    await this.#in(file.path, true, async (parent, base) => {
      if (this.#isEmptied(file.path) && parent.find(base)?.isDirectory()) removeEmptyFolders(parent, base);
      const now = parent.find(base);
      if (now?.ino === staged.ino && now.dev === staged.dev) {
        // It has both names: the run before was cut short between giving the one and taking the other.
        unlinkSync(from);
        return true;
      }
      if (now !== undefined && !now.isFile()) return false;
      await this.#keeper?.keep(parent, base, file.path, from);
      if (file.kind === "sqlite" && now !== undefined && (now.size === 0n || looksLikeSqlite(parent.at(base)))) {
        if ((await this.#restore(parent, base, file, number)) === "restored") return true;
      }
      if (now !== undefined && (await this.#isInUse(parent, base, now))) return false;
      // What SQLite would take for the rest of another database must not stay beside this one.
      const ofDatabase = file.kind === "sqlite" || (now !== undefined && looksLikeSqlite(parent.at(base)));
      if (ofDatabase) this.#moveSiblings(parent, base, String(number));
      takeOver(from, now, parent, file.executable);
      return this.#replace(parent, base, now, number);
    });
  }

  /** Whether it was the folder of files that were removed, so that a folder may become a file. */
  #isEmptied(name: string): boolean {
    return this.#removed.some((each) => each.startsWith(`${name}/`));
  }

  async #restore(
    parent: HeldFolder,
    base: string,
    file: StagedStateFile,
    number: number,
  ): Promise<"restored" | "unusable"> {
    const database = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
    const folder = path.join(this.#folder, "state");
    const request = { database, folder, env: this.#env, inherit: this.#inherit };
    const outcome = await restoreSqlite(request, String(number));
    if (outcome === "unusable") return outcome;
    const now = parent.find(base);
    const mode = now && modeOf(now, file.executable);
    if (now && mode !== undefined && (Number(now.mode) & 0o777) !== mode) {
      withFile(parent.at(base), (descriptor) => fchmodSync(descriptor, mode));
    }
    unlinkSync(stagedFile(this.#folder, number));
    return outcome;
  }

  /** The file that was there keeps a second name; false where something came to be there since the look. */
  #replace(parent: HeldFolder, base: string, now: BigIntStats | undefined, number: number): boolean {
    const from = stagedFile(this.#folder, number);
    const target = parent.at(base);
    if (now === undefined) return moveFileToNothing(from, target);
    keepSecondName(target, this.#keptAt(String(number)));
    moveFile(from, target);
    return true;
  }

  #moveSiblings(parent: HeldFolder, base: string, aside: string): void {
    for (const ending of SQLITE_SIBLINGS) {
      if (parent.find(base + ending)?.isFile()) moveFile(parent.at(base + ending), this.#keptAt(aside + ending));
    }
  }

  /** Whether it is a database that a live process has open: to such a one a new file is another database. */
  async #isInUse(parent: HeldFolder, base: string, now: BigIntStats): Promise<boolean> {
    return looksLikeSqlite(parent.at(base)) && (await isOpenSomewhere(`${now.dev}:${now.ino}`));
  }

  /** Does `work` in the folder of `name`, reached without following a link; where it is false, or there is no way, that is told. */
  async #in(name: string, make: boolean, work: (parent: HeldFolder, base: string) => Promise<boolean>): Promise<void> {
    const folders = name.split("/");
    const base = folders.pop() ?? "";
    const parent = openBelow(this.#workTree, folders, { make });
    if (parent === undefined && !make) return;
    if (!(parent instanceof HeldFolder)) {
      this.conflicts.push(name);
      return;
    }
    try {
      if (!(await work(parent, base))) this.conflicts.push(name);
      this.#touched.add(folders.join("/"));
    } finally {
      parent.close();
    }
  }

  #keptAt(aside: string): string {
    return path.join(this.#folder, "state", `kept-${aside}`);
  }

  syncFolders(): void {
    for (const touched of this.#touched) {
      const folder = openBelow(this.#workTree, touched === "" ? [] : touched.split("/"), { make: false });
      if (!(folder instanceof HeldFolder)) continue;
      folder.sync();
      folder.close();
    }
  }
}

/** The permissions of the file that is there; whether it is a program is as it was captured. */
function modeOf(now: BigIntStats, executable: boolean): number {
  const mode = Number(now.mode) & 0o777;
  return executable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111;
}

/** Gives a staged file the permissions and the owner of the one that it replaces; without one, the folder's owner. */
function takeOver(staged: string, now: BigIntStats | undefined, parent: HeldFolder, executable: boolean): void {
  if (now !== undefined) chmodSync(staged, modeOf(now, executable));
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = now ?? parent.owner();
  chownSync(staged, Number(uid), Number(gid));
}
