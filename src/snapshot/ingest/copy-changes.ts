import type { BigIntStats } from "node:fs";
import { opendir } from "node:fs/promises";
import { findStat, pathBelow } from "../../system/path-bytes.js";
import { Findings, type FoundChanges } from "./found-changes.js";
import { addFound } from "./found-file.js";
import { kindOf } from "./kind-of.js";
import { isSameFile } from "./same-file.js";
import { whyUnsafeName } from "./unsafe-name.js";

/** What a sandbox did to a copy of `lower` of its own, found by walking both while nothing runs in it. As hostile as an upper folder. */
export async function readCopyChanges({ lower, copy }: { lower: string; copy: string }): Promise<FoundChanges> {
  const walk = new CopyWalk(lower, copy);
  await walk.visitCopy();
  await walk.addMissing();
  return walk.findings.result();
}

class CopyWalk {
  readonly findings = new Findings();
  readonly #lower: string;
  readonly #copy: string;

  constructor(lower: string, copy: string) {
    this.#lower = lower;
    this.#copy = copy;
  }

  async visitCopy(): Promise<void> {
    for await (const { file, stat } of this.#walk(this.#copy, (unsafe, file) => this.findings.refuse(file, unsafe))) {
      const kind = kindOf(stat);
      const before = await findStat(pathBelow(this.#lower, file)).catch(() => undefined);
      if (kind === "folder") continue;
      if (kind !== "file" && kind !== "link") {
        this.findings.refuse(file, kind === "whiteout" ? "a device" : kind);
        continue;
      }
      const was = before && !before.isDirectory() ? { root: this.#lower, stat: before } : undefined;
      if (was && (await isSameFile(file, was, { root: this.#copy, stat }))) continue;
      const change = was ? "modified" : "added";
      await addFound(this.findings, this.#copy, { path: file, change, stat });
    }
  }

  /** What was there at the beginning and is no file any more. */
  async addMissing(): Promise<void> {
    for await (const { file, stat } of this.#walk(this.#lower, () => {})) {
      if (stat.isDirectory()) continue;
      try {
        const now = await findStat(pathBelow(this.#copy, file));
        if (now && !now.isDirectory()) continue;
        this.findings.add({ path: file, change: "deleted", mode: null, size: 0 });
      } catch (cause) {
        this.findings.refuseUnread(file, cause);
      }
    }
  }

  async *#walk(
    root: string,
    onUnsafe: (why: string, file: string) => void,
  ): AsyncGenerator<{ file: string; stat: BigIntStats }> {
    const pending = [""];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      try {
        for await (const { name } of await opendir(pathBelow(root, folder), { encoding: "latin1" })) {
          if (!this.findings.hasRoom) return;
          this.findings.see();
          const file = folder === "" ? name : `${folder}/${name}`;
          const unsafe = whyUnsafeName(name);
          if (unsafe !== undefined) {
            onUnsafe(unsafe, file);
            continue;
          }
          const stat = await findStat(pathBelow(root, file));
          if (stat === undefined) continue;
          if (stat.isDirectory()) pending.push(file);
          yield { file, stat };
        }
      } catch (cause) {
        this.findings.refuseUnread(folder, cause);
      }
    }
  }
}
