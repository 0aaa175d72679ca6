/** Which tags the body of a piece holds, one behind the other: their ids in one text, and their sizes in bytes. */
export interface TagIndex {
  readonly ids: string;
  readonly sizes: readonly number[];
}

/** Whether JSON is such an index, of ids of so many digits. */
export function isTagIndex(value: unknown, idLength: number): value is TagIndex {
  const { ids, sizes } = (value ?? {}) as Partial<Record<keyof TagIndex, unknown>>;
  return (
    typeof ids === "string" &&
    Array.isArray(sizes) &&
    ids.length === sizes.length * idLength &&
    sizes.every((size) => Number.isSafeInteger(size) && size >= 0)
  );
}

/** When so many tags have been read one by one, all others are read together. */
const FEW = 16;

/** The tags of one piece, found without a table where they are asked for in the order in which they lie there. */
export class TagPiece {
  readonly #index: TagIndex;
  readonly #idLength: number;
  readonly #readBody: (start: number, size: number) => Buffer | undefined;
  /** Where the next one is looked for first. */
  #next = 0;
  #misses = 0;
  #table: Map<string, number> | undefined;
  #starts: number[] | undefined;
  #reads = 0;
  #body: Buffer | undefined;

  constructor(index: TagIndex, idLength: number, readBody: (start: number, size: number) => Buffer | undefined) {
    this.#index = index;
    this.#idLength = idLength;
    this.#readBody = readBody;
  }

  ids(): string[] {
    const { ids, sizes } = this.#index;
    return sizes.map((_, at) => ids.slice(at * this.#idLength, (at + 1) * this.#idLength));
  }

  /** The place of a tag if it is the one behind that which was found last. */
  findNext(id: string): number | undefined {
    const { ids, sizes } = this.#index;
    const isNext = this.#next < sizes.length && ids.startsWith(id, this.#next * this.#idLength);
    return isNext ? this.#next++ : undefined;
  }

  /** The place of a tag among the others; undefined where it is not here. */
  find(id: string): number | undefined {
    const at = this.#search(id);
    if (at !== undefined) this.#next = at + 1;
    return at;
  }

  #search(id: string): number | undefined {
    const { ids } = this.#index;
    const step = this.#idLength;
    // Looking through all of it costs less than a table as long as that is seldom.
    if (this.#table === undefined && this.#misses++ < FEW) {
      for (let found = ids.indexOf(id); found >= 0; found = ids.indexOf(id, found + 1)) {
        if (found % step === 0) return found / step;
      }
      return undefined;
    }
    this.#table ??= new Map(this.ids().map((each, at) => [each, at]));
    return this.#table.get(id);
  }

  /** The bytes at a place, unchecked; undefined where the file has none there. */
  read(at: number): Buffer | undefined {
    const { sizes } = this.#index;
    const starts = this.#startsOf();
    const [start = 0, size = 0] = [starts[at], sizes[at]];
    if (this.#reads++ === FEW) this.#body = this.#readBody(0, starts.at(-1) ?? 0);
    return this.#body ? this.#body.subarray(start, start + size) : this.#readBody(start, size);
  }

  /** Where each begins, and the last one ends. */
  #startsOf(): readonly number[] {
    if (this.#starts === undefined) {
      let end = 0;
      this.#starts = [0, ...this.#index.sizes.map((size) => (end += size))];
    }
    return this.#starts;
  }
}
