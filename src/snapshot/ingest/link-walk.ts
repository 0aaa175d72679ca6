import { readablePath } from "../../system/path-bytes.js";
import type { FolderView, SeenEntry } from "./folder-view.js";
import { folded, matchesName, patternOf } from "./shell-pattern.js";

/** Paths, bytes as latin1 text. */
interface Led {
  /** The links on the way. */
  readonly links: Set<string>;
  /** What is behind them, or was come to from a folder that is named: files, and folders with all in them. */
  readonly ends: Set<string>;
}

/** Where the names of a command lead, beyond what they say. */
export interface LedTo extends Readonly<Led> {
  /** Whether it was given up, as there is no end to it. */
  readonly tooMany: boolean;
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/** Linux opens no longer path. */
const LONGEST_PATH = 4096;

/** Letters of names and patterns that are looked at: the sandbox may have written both. */
const MOST_LETTERS = 4_000_000;

/** A folder that was come to, and what is still to be gone from there. */
interface Way {
  readonly folder: string;
  readonly steps: readonly string[];
  readonly links: number;
  /** Whether it began in a folder that another way led to. */
  readonly isWithin: boolean;
}

/**
 * Follows names step by step through several trees at once, as what is a link in one may lead to what is in another. Only folders on
 * the way are read.
 */
export class LinkWalk {
  readonly #views: readonly FolderView[];
  readonly #seen = new Map<string, Promise<ReadonlyMap<string, readonly SeenEntry[]>>>();
  #letters = 0;

  constructor(views: readonly FolderView[]) {
    this.#views = views;
  }

  /** Of paths and patterns, folded; in a folder that one of them leads to each of them is looked for, too. */
  async from(names: readonly string[]): Promise<LedTo> {
    const led = { links: new Set<string>(), ends: new Set<string>() };
    const followed = names.filter(({ length }) => length <= LONGEST_PATH);
    const patterns = followed.map(patternOf);
    const lengths = followed.reduce((sum, { length }) => sum + length, 0);
    const gone = new Set<string>();
    const ways = patterns.map((steps): Way => ({ folder: "", steps, links: 0, isWithin: false }));
    // They become more meanwhile.
    for (const way of ways) {
      const key = `${way.isWithin}${way.folder}\0${way.steps.join("/")}`;
      if (gone.has(key)) continue;
      gone.add(key);
      this.#letters += key.length;
      if (way.steps.length > 0) for (const next of await this.#goOn(way, led)) ways.push(next);
      else {
        if (isElsewhere(way)) led.ends.add(way.folder);
        if (way.isWithin) continue;
        for (const steps of patterns) ways.push({ ...way, steps, isWithin: true });
        this.#letters += lengths;
      }
      if (this.#letters > MOST_LETTERS) return { ...led, tooMany: true };
    }
    return { ...led, tooMany: false };
  }

  /** One step on, by each entry that it is the name of. */
  async #goOn(way: Way, led: Led): Promise<Way[]> {
    const { folder, links } = way;
    const [step = "", ...steps] = way.steps;
    if (step === "." || step === "") return [{ ...way, steps }];
    if (step === "..") return folder === "" ? [] : [{ ...way, folder: parentOf(folder), steps }];
    if (step === "**" && isElsewhere(way)) led.ends.add(folder);
    const next: Way[] = [];
    for (const { name, isFolder, target } of await this.#find(folder, step)) {
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isFolder) next.push({ ...way, folder: path, steps });
      else if (target !== undefined) {
        led.links.add(path);
        const said = links < MOST_LINKS ? await target() : "/";
        if (!said.startsWith("/")) next.push({ ...way, steps: [...literalSteps(said), ...steps], links: links + 1 });
      } else if (steps.length === 0 && isElsewhere(way)) led.ends.add(path);
    }
    return next;
  }

  async #find(folder: string, step: string): Promise<readonly SeenEntry[]> {
    const entries = await this.#entriesOf(folder);
    if (!/[*?]/.test(step)) return entries.get(step) ?? [];
    this.#letters += step.length * entries.size;
    if (this.#letters > MOST_LETTERS) return [];
    const glob = step.replace(/\*+/g, "*");
    return [...entries].flatMap(([name, found]) => (matchesName(glob, name) ? found : []));
  }

  #entriesOf(folder: string): Promise<ReadonlyMap<string, readonly SeenEntry[]>> {
    const seen = this.#seen.get(folder) ?? this.#read(folder);
    this.#seen.set(folder, seen);
    return seen;
  }

  /** By folded names. */
  async #read(folder: string): Promise<ReadonlyMap<string, readonly SeenEntry[]>> {
    const entries = new Map<string, SeenEntry[]>();
    for (const entry of (await Promise.all(this.#views.map((view) => view(folder)))).flat()) {
      const name = folded(readablePath(entry.name));
      const same = entries.get(name);
      if (same) same.push(entry);
      else entries.set(name, [entry]);
    }
    return entries;
  }
}

/** Whether it has left what its name says. */
const isElsewhere = ({ links, isWithin }: Way): boolean => links > 0 || isWithin;

const parentOf = (folder: string): string => folder.slice(0, Math.max(folder.lastIndexOf("/"), 0));

/** What would be a pattern's letter in them stands for any. */
const literalSteps = (target: string): string[] =>
  folded(readablePath(target))
    .replace(/[*?[\]]/g, "?")
    .split("/");
