/** A path that a sandbox changed, as it was found: nothing in it was followed or opened. */
export interface FoundChange {
  /** Bytes as latin1 text, relative to the agent's folder. */
  readonly path: string;
  readonly change: "added" | "modified" | "deleted";
  /** As git would have it; null for what was deleted. */
  readonly mode: "100644" | "100755" | "120000" | null;
  /** Bytes; 0 for what was deleted. */
  readonly size: number;
}

/** All that a sandbox changed, ordered by path. */
export interface FoundChanges {
  readonly changes: readonly FoundChange[];
  /** What can be in no version, by path (latin1), and why. */
  readonly refused: ReadonlyMap<string, string>;
  /** True where the walk was ended because there was too much. */
  readonly truncated: boolean;
}

/** Paths that are looked at, and no more: a sandbox may hold millions. */
export const MOST_PATHS = 200_000;

/** Collects what a walk finds, up to `MOST_PATHS`. */
export class Findings {
  readonly #changes = new Map<string, FoundChange>();
  readonly #refused = new Map<string, string>();
  #seen = 0;

  /** False where the walk has seen enough. */
  get hasRoom(): boolean {
    return this.#seen < MOST_PATHS;
  }

  see(): void {
    this.#seen++;
  }

  /** What is refused stays so: what has become of it cannot be said. */
  add(found: FoundChange): void {
    if (!this.#refused.has(found.path)) this.#changes.set(found.path, found);
  }

  refuse(path: string, reason: string): void {
    this.#refused.set(path, reason);
    this.#changes.delete(path);
  }

  refuseUnread(path: string, cause: unknown): void {
    this.refuse(path, `cannot be read: ${(cause as NodeJS.ErrnoException).code}`);
  }

  result(): FoundChanges {
    const byPath = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);
    return {
      changes: [...this.#changes].sort(byPath).map(([, change]) => change),
      refused: new Map([...this.#refused].sort(byPath)),
      truncated: !this.hasRoom,
    };
  }
}
