import type { BigIntStats } from "node:fs";
import { opendir } from "node:fs/promises";
import { opaqueFolders } from "../../podman/opaque-folders.js";
import { findStat, pathBelow } from "../../system/path-bytes.js";
import { Findings, type FoundChanges } from "./found-changes.js";
import { addFound } from "./found-file.js";
import { kindOf } from "./kind-of.js";
import { isSameFile } from "./same-file.js";
import { whyUnsafeName } from "./unsafe-name.js";

/**
 * What a sandbox did to `lower`, read from its overlay's `upper` folder while nothing runs in it. The upper folder is hostile:
 * nothing in it is followed, and nothing is opened but regular files.
 */
export async function readOverlayChanges(
  layers: { lower: string; upper: string },
  host: { rootless: boolean; env: NodeJS.ProcessEnv },
): Promise<FoundChanges> {
  const walk = new OverlayWalk(layers);
  await walk.visitUpper();
  await walk.addHidden(await opaqueFolders(layers.upper, walk.merged, host.rootless, host.env));
  return walk.findings.result();
}

class OverlayWalk {
  readonly findings = new Findings();
  /** Folders of both layers, as latin1 text: the ones in which an opaque mark means something. */
  readonly merged: string[] = [];
  readonly #lower: string;
  readonly #upper: string;

  constructor(layers: { lower: string; upper: string }) {
    this.#lower = layers.lower;
    this.#upper = layers.upper;
  }

  async visitUpper(): Promise<void> {
    const pending = [""];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for await (const name of this.#namesIn(this.#upper, folder)) {
        if (!this.findings.hasRoom) return;
        this.findings.see();
        const file = folder === "" ? name : `${folder}/${name}`;
        const stat = await this.#statOf(this.#upper, file);
        const unsafe = whyUnsafeName(name);
        if (unsafe !== undefined) {
          // A whiteout is ours: it hides the checkout's own link to the repository.
          if (stat && kindOf(stat) !== "whiteout") this.findings.refuse(file, unsafe);
          continue;
        }
        if (stat?.isDirectory()) pending.push(file);
        if (stat) await this.#judge(file, stat);
      }
    }
  }

  /** What an opaque folder no longer shows of the lower one. */
  async addHidden(opaque: ReadonlySet<string>): Promise<void> {
    for (const folder of opaque) {
      for await (const file of this.#filesOfLower(folder)) {
        if (!(await this.#statOf(this.#upper, file))) this.#addDeleted(file);
      }
    }
  }

  async #judge(file: string, upper: BigIntStats): Promise<void> {
    const lower = await this.#statOf(this.#lower, file);
    if (lower?.isDirectory()) {
      if (upper.isDirectory()) {
        this.merged.push(file);
        return;
      }
      for await (const hidden of this.#filesOfLower(file)) this.#addDeleted(hidden);
    }
    const kind = kindOf(upper);
    if (kind === "whiteout") {
      if (lower && !lower.isDirectory()) this.#addDeleted(file);
    } else if (kind === "folder") {
      if (lower) this.#addDeleted(file);
    } else if (kind !== "file" && kind !== "link") {
      this.findings.refuse(file, kind);
    } else if (!lower || lower.isDirectory()) {
      await addFound(this.findings, this.#upper, { path: file, change: "added", stat: upper });
    } else if (
      // A file that was only opened for writing was copied up, but it is the same.
      !(await isSameFile(file, { root: this.#lower, stat: lower }, { root: this.#upper, stat: upper }))
    ) {
      await addFound(this.findings, this.#upper, { path: file, change: "modified", stat: upper });
    }
  }

  #addDeleted(path: string): void {
    this.findings.add({ path, change: "deleted", mode: null, size: 0 });
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
      this.findings.refuseUnread(folder, cause);
    }
  }

  async #statOf(root: string, file: string): Promise<BigIntStats | undefined> {
    try {
      return await findStat(pathBelow(root, file));
    } catch (cause) {
      this.findings.refuseUnread(file, cause);
      return undefined;
    }
  }
}
