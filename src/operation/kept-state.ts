import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { makeFolder, syncFolder } from "../system/durable-file.js";
import { HeldFolder, openBelow } from "../system/held-folder.js";
import { COPYING, copyFile } from "../system/move-file.js";
import { pathBelow, readablePath } from "../system/path-bytes.js";
import { haveSameBytes } from "../system/same-bytes.js";
import { backUpSqlite, SQLITE_SIBLINGS } from "../system/sqlite.js";
import { haveSamePages, looksLikeSqlite } from "../system/sqlite-file.js";
import { isAsSeen, lookAtState, type SeenState, type StateLook } from "./state-look.js";

/** Something that somebody wrote while the operation was interrupted, which put its own state in place of it. */
export interface KeptState {
  readonly path: string;
  /** Where it is kept, absolute. */
  readonly kept: string;
}

/** A second one has what does not fit into the first: recovery may be interrupted, and what was kept be written again. */
const FOLDER = /^state(?:-\d+)?$/;
const folderOf = (number: number): string => (number === 1 ? "state" : `state-${number}`);

/**
 * Keeps what was written to live state since an operation saved it, before its recovery replaces that. The first run needs none:
 * what it replaces it has just saved.
 */
export class StateKeeper {
  readonly #kept: string;
  readonly #scratch: string;
  readonly #seen: ReadonlyMap<string, StateLook>;
  readonly #env: NodeJS.ProcessEnv;

  /** `kept` is the operation's folder of what it replaced; `scratch` one of ours for a moment. */
  constructor(kept: string, scratch: string, seen: SeenState, env: NodeJS.ProcessEnv) {
    this.#kept = kept;
    this.#scratch = scratch;
    this.#seen = new Map(seen);
    this.#env = env;
  }

  /** Copies the file `base` of a folder, which is the state file `name`, unless it was saved before or is what is `staged`. */
  async keep(parent: HeldFolder, base: string, name: string, staged: string | undefined): Promise<void> {
    const now = parent.find(base);
    if (!now?.isFile() || now.size === 0n) return;
    const file = Buffer.concat([parent.path(), Buffer.from(`/${base}`, "latin1")]);
    const seen = this.#seen.get(name);
    if (seen && isAsSeen(seen, await lookAtState(file))) return;
    if (looksLikeSqlite(parent.at(base))) {
      const copy = path.join(this.#scratch, "now");
      await rm(copy, { force: true });
      if ((await backUpSqlite(file, this.#scratch, "now", this.#env)) === undefined) {
        if (staged === undefined || !haveSamePages(copy, staged)) await this.#put(name, new Map([["", copy]]));
        await rm(copy, { force: true });
        return;
      }
    } else if (staged !== undefined && haveSameBytes(parent.at(base), staged)) return;
    const beside = SQLITE_SIBLINGS.filter((ending) => parent.find(base + ending)?.isFile());
    await this.#put(name, new Map(["", ...beside].map((ending) => [ending, parent.at(base + ending)])));
  }

  /** Copies files, by what their names end with behind `name`, into the first folder where nothing else is in the way of any. */
  async #put(name: string, files: ReadonlyMap<string, Buffer | string>): Promise<void> {
    const made = await makeFolder(this.#kept);
    if (made !== undefined) for (const each of [made, this.#kept]) await syncFolder(path.dirname(each));
    const folders = name.split("/");
    const base = folders.pop() ?? "";
    for (let number = 1; ; number++) {
      const place = openBelow(this.#kept, [folderOf(number), ...folders], { make: true });
      if (!(place instanceof HeldFolder)) continue;
      try {
        const missing = [...files].filter(([ending]) => place.find(base + ending) === undefined);
        const there = [...files].filter(([ending]) => place.find(base + ending) !== undefined);
        if (!there.every(([ending, from]) => isCopy(place, base + ending, from))) continue;
        for (const [ending, from] of missing) copyFile(from, place.at(base + ending));
        place.sync();
        return;
      } finally {
        place.close();
      }
    }
  }
}

const isCopy = (place: HeldFolder, name: string, from: Buffer | string): boolean =>
  place.find(name)?.isFile() === true && haveSameBytes(from, place.at(name));

/** All that is kept of state in an operation's folder of what it replaced. */
export function listKeptState(folder: string): KeptState[] {
  const kept: KeptState[] = [];
  const walk = (top: string, name: string) => {
    for (const entry of readdirSync(pathBelow(top, name), { withFileTypes: true, encoding: "latin1" })) {
      const below = name === "" ? entry.name : `${name}/${entry.name}`;
      if (entry.isDirectory()) walk(top, below);
      // One that is cut short is no copy.
      else if (!entry.name.endsWith(COPYING))
        kept.push({ path: readablePath(below), kept: path.join(top, readablePath(below)) });
    }
  };
  for (const name of namesIn(folder)) if (FOLDER.test(name)) walk(path.join(folder, name), "");
  return kept;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
