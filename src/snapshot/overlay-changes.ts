import type { BigIntStats } from "node:fs";
import { constants } from "node:fs";
import { open, opendir } from "node:fs/promises";
import { opaqueFolders } from "../podman/opaque-folders.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";
import type { Artifact, RefusedPath } from "./execution.js";

export interface OverlayChanges {
  artifacts: Artifact[];
  refused: RefusedPath[];
  dropped: number;
}

const MOST_LISTED = 10_000;
const SETUID = 0o6000n;
const CHUNK = 64 * 1024;

/**
 * What a sandbox did to `lower`, read from its overlay's `upper` folder after its end. The upper folder is hostile: nothing
 * in it is followed, and nothing is opened but regular files.
 */
export async function readOverlayChanges(
  layers: { lower: string; upper: string },
  host: { rootless: boolean; env: NodeJS.ProcessEnv },
): Promise<OverlayChanges> {
  const walk = new OverlayWalk(layers);
  await walk.visitUpper();
  await walk.addHidden(await opaqueFolders(layers.upper, walk.merged, host.rootless, host.env));
  return walk.changes();
}

class OverlayWalk {
  /** Folders of both layers, as latin1 text: the ones in which an opaque mark means something. */
  readonly merged: string[] = [];
  readonly #lower: string;
  readonly #upper: string;
  readonly #found = new Map<string, Artifact["change"]>();
  readonly #refused = new Map<string, string>();
  #dropped = 0;

  constructor(layers: { lower: string; upper: string }) {
    this.#lower = layers.lower;
    this.#upper = layers.upper;
  }

  async visitUpper(): Promise<void> {
    const pending = [""];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for await (const name of this.#namesIn(this.#upper, folder)) {
        const file = folder === "" ? name : `${folder}/${name}`;
        const upper = await this.#statOf(this.#upper, file);
        if (name.toLowerCase() === ".git") {
          // A whiteout is ours: it hides the checkout's own link to the repository.
          if (upper && kindOf(upper) !== "whiteout") this.#refuse(file, "a repository of its own");
          continue;
        }
        if (upper?.isDirectory()) pending.push(file);
        if (upper) await this.#judge(file, upper);
      }
    }
  }

  /** What an opaque folder no longer shows of the lower one. */
  async addHidden(opaque: ReadonlySet<string>): Promise<void> {
    for (const folder of opaque) {
      for await (const file of this.#filesOfLower(folder)) {
        if (!(await this.#statOf(this.#upper, file))) this.#add(file, "deleted");
      }
    }
  }

  changes(): OverlayChanges {
    const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
    return {
      artifacts: [...this.#found].map(([file, change]) => ({ path: readablePath(file), change })).sort(byPath),
      refused: [...this.#refused].map(([file, reason]) => ({ path: readablePath(file), reason })).sort(byPath),
      dropped: this.#dropped,
    };
  }

  async #judge(file: string, upper: BigIntStats): Promise<void> {
    const lower = await this.#statOf(this.#lower, file);
    if (lower?.isDirectory()) {
      if (upper.isDirectory()) {
        this.merged.push(file);
        return;
      }
      for await (const hidden of this.#filesOfLower(file)) this.#add(hidden, "deleted");
    }
    const kind = kindOf(upper);
    if (kind === "whiteout") {
      if (lower && !lower.isDirectory()) this.#add(file, "deleted");
    } else if (kind === "folder") {
      if (lower) this.#add(file, "deleted");
    } else if (kind !== "file") {
      this.#refuse(file, kind);
    } else if (!lower || lower.isDirectory()) {
      this.#add(file, "added");
    } else if (await this.#differs(file, lower, upper)) {
      this.#add(file, "modified");
    }
  }

  /** A file that was only opened for writing was copied up, but it is the same. */
  async #differs(file: string, lower: BigIntStats, upper: BigIntStats): Promise<boolean> {
    if (lower.mode !== upper.mode || lower.size !== upper.size || !upper.isFile()) return true;
    return !(await sameBytes(pathBelow(this.#lower, file), pathBelow(this.#upper, file)));
  }

  async *#filesOfLower(folder: string): AsyncGenerator<string> {
    for await (const name of this.#namesIn(this.#lower, folder)) {
      const file = `${folder}/${name}`;
      if ((await this.#statOf(this.#lower, file))?.isDirectory()) yield* this.#filesOfLower(file);
      else yield file;
    }
  }

  async *#namesIn(root: string, folder: string): AsyncGenerator<string> {
    try {
      const entries = await opendir(pathBelow(root, folder), { encoding: "latin1" });
      for await (const { name } of entries) yield name;
    } catch (cause) {
      this.#refuse(folder, `cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
    }
  }

  async #statOf(root: string, file: string): Promise<BigIntStats | undefined> {
    try {
      return await findStat(pathBelow(root, file));
    } catch (cause) {
      this.#refuse(file, `cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
      return undefined;
    }
  }

  #add(file: string, change: Artifact["change"]): void {
    if (this.#found.size < MOST_LISTED) this.#found.set(file, change);
    else this.#dropped += 1;
  }

  #refuse(file: string, reason: string): void {
    if (this.#refused.size < MOST_LISTED) this.#refused.set(file, reason);
    else this.#dropped += 1;
  }
}

/** `whiteout`, `folder`, `file`, or why it is none of them. */
function kindOf(stat: BigIntStats): string {
  if (stat.isCharacterDevice() && stat.rdev === 0n) return "whiteout";
  if (stat.isDirectory()) return "folder";
  if (stat.isSymbolicLink()) return "file";
  if (stat.isFile()) return stat.mode & SETUID ? "setuid or setgid" : "file";
  if (stat.isFIFO()) return "a FIFO";
  return stat.isSocket() ? "a socket" : "a device";
}

async function sameBytes(a: Buffer, b: Buffer): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const one = await open(a, flags);
  try {
    const other = await open(b, flags);
    try {
      const left = Buffer.alloc(CHUNK);
      const right = Buffer.alloc(CHUNK);
      for (;;) {
        const { bytesRead } = await one.read(left, 0, CHUNK);
        const { bytesRead: same } = await other.read(right, 0, CHUNK);
        if (bytesRead !== same || left.compare(right, 0, same, 0, bytesRead) !== 0) return false;
        if (bytesRead === 0) return true;
      }
    } finally {
      await other.close();
    }
  } finally {
    await one.close();
  }
}
