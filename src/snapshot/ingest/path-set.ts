/** Paths that take in what lies below them, found by a few comparisons however deep a path is. */
export class PathSet {
  /** Sorted, each with a slash behind it; none lies below another. */
  readonly #paths: string[] = [];

  constructor(paths: Iterable<string>) {
    const sorted = Array.from(paths, (path) => `${path}/`).sort();
    for (const path of sorted) if (!path.startsWith(this.#paths.at(-1) ?? "\0")) this.#paths.push(path);
  }

  /** Whether a path is one of them or lies below one. */
  covers(path: string): boolean {
    const sought = `${path}/`;
    let [low, high] = [0, this.#paths.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#paths[middle] ?? "") <= sought) low = middle + 1;
      else high = middle;
    }
    // Whatever stood between a path and what lies below it would lie below it, too.
    const before = this.#paths[low - 1];
    return before !== undefined && sought.startsWith(before);
  }
}
