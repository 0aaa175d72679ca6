import { readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { makeFolder, syncFolder, writeDurably } from "../system/durable-file.js";
import { copyTree, tryRename } from "../system/move-tree.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import type { StagedWorktree } from "./apply-worktree.js";
import { canonicalJson } from "./canonical-json.js";
import { findObstacleAbove } from "./find-obstacles.js";
import { forgetEmptied, keptFolder, keptOutput, writeKeptOutputs } from "./kept-outputs.js";

/** A path (latin1) of the working tree, where git ignores it, and what is put there. */
export interface StagedOutput {
  readonly path: string;
  readonly source:
    | { readonly kind: "staged" }
    /** What the operation that is taken back replaced. */
    | { readonly kind: "kept"; readonly number: number }
    /** Nothing: what is there goes. */
    | { readonly kind: "none" };
}

export interface StagedOutputs {
  readonly operation: string;
  /** The operation that is taken back; null where none is. */
  readonly restores: string | null;
  readonly outputs: readonly StagedOutput[];
}

const MANIFEST = "outputs.json";

/** Where what a command made aside waits in the staging folder, file or folder, by its number. */
export const stagedOutput = (folder: string, number: number): string => path.join(folder, "outputs", String(number));

export const writeStagedOutputs = (folder: string, staged: StagedOutputs): Promise<void> =>
  writeDurably(path.join(folder, MANIFEST), canonicalJson(staged));

/**
 * Puts outputs in place of what is there, which is kept in the operation's folder of `replaced`. May be run again after a crash
 * at any point. Gives the paths (latin1) that were left alone: a link, a file or another file system is in the way.
 */
export async function applyOutputs({ folder, workTree }: StagedWorktree, replaced: string): Promise<string[]> {
  const text = await readFile(path.join(folder, MANIFEST), "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") throw cause;
    return undefined;
  });
  if (text === undefined || workTree === undefined) return [];
  const { operation, restores, outputs } = JSON.parse(text) as StagedOutputs;
  if (outputs.length === 0) return [];
  const kept = keptFolder(replaced, operation);
  // Before anything is moved there: what is kept is to be found, also by who comes after a crash.
  await writeKeptOutputs(
    kept,
    outputs.map(({ path: name }) => ({ path: name, placed: true })),
  );
  await syncFolder(replaced);
  for (const name of ["outputs", "replaced"]) await makeFolder(path.join(folder, name), 0o777);
  const restored = restores === null ? undefined : keptFolder(replaced, restores);
  const placing = new OutputPlacing(workTree, folder, kept, restored);
  const conflicts: string[] = [];
  for (const [number, output] of outputs.entries()) {
    if (!(await placing.place(output, number))) conflicts.push(output.path);
  }
  if (conflicts.length > 0) {
    await writeKeptOutputs(
      kept,
      outputs.map(({ path: name }) => ({ path: name, placed: !conflicts.includes(name) })),
    );
  }
  if (restored !== undefined) await forgetEmptied(restored);
  return conflicts;
}

class OutputPlacing {
  readonly #workTree: string;
  readonly #folder: string;
  readonly #kept: string;
  readonly #restored: string | undefined;
  readonly #clear = new Set<string>();

  constructor(workTree: string, folder: string, kept: string, restored: string | undefined) {
    this.#workTree = workTree;
    this.#folder = folder;
    this.#kept = kept;
    this.#restored = restored;
  }

  /** False where what is there stays. */
  async place({ path: name, source }: StagedOutput, number: number): Promise<boolean> {
    await this.#fetch(source, number);
    const from = source.kind === "none" ? undefined : stagedOutput(this.#folder, number);
    const moved = await this.#isAside(number);
    // Gone from where it waited: it was put in place before.
    if (from === undefined ? moved : (await findStat(from)) === undefined) return true;
    if ((await findObstacleAbove(this.#workTree, name, this.#clear)) !== undefined) return false;
    const target = pathBelow(this.#workTree, name);
    const parent = pathBelow(this.#workTree, name.slice(0, Math.max(0, name.lastIndexOf("/"))));
    const now = await findStat(target);
    const stands = now !== undefined;
    if (stands && now.dev !== (await findStat(this.#workTree))?.dev) return false;
    // Made anew since a run before moved away what was there.
    if (stands && moved) return false;
    if (stands && !(await this.#moveAside(target, number))) return false;
    if (from !== undefined) {
      await makeFolder(parent, 0o777);
      if (!(await tryRename(from, target))) return false;
    }
    await syncFolder(parent);
    return true;
  }

  /** What an earlier operation replaced waits where it is until this one has happened. */
  async #fetch(source: StagedOutput["source"], number: number): Promise<void> {
    if (source.kind !== "kept" || this.#restored === undefined) return;
    const from = keptOutput(this.#restored, source.number);
    if ((await findStat(from)) === undefined) return;
    const to = stagedOutput(this.#folder, number);
    if ((await findStat(to)) === undefined && !(await tryRename(from, to))) await copyTree(from, to);
    await rm(from, { recursive: true, force: true });
  }

  /** Whether what was there is kept, by a run before. */
  async #isAside(number: number): Promise<boolean> {
    const aside = keptOutput(this.#kept, number);
    if (await findStat(aside)) return true;
    if ((await findStat(this.#awayAt(number))) === undefined) return false;
    await rename(`${aside}.copy`, aside);
    return true;
  }

  /** By a rename; where git's folder lies on another file system than the working tree, by a copy. False where neither can be. */
  async #moveAside(target: Buffer, number: number): Promise<boolean> {
    const aside = keptOutput(this.#kept, number);
    if (!(await tryRename(target, aside))) {
      const copied = await copyTree(target.toString(), `${aside}.copy`).then(
        () => true,
        () => false,
      );
      if (!copied || !(await tryRename(target, this.#awayAt(number)))) {
        await rm(`${aside}.copy`, { recursive: true, force: true });
        return false;
      }
      await rename(`${aside}.copy`, aside);
    }
    await syncFolder(this.#kept);
    return true;
  }

  /** On the working tree's own file system, and removed with the staging folder. */
  #awayAt(number: number): string {
    return path.join(this.#folder, "replaced", String(number));
  }
}
