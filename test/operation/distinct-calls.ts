/** One of so many is struck again that an earlier command had, too. */
const AGAIN = 20;

const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/\/tmp\/[^/ ]+/g, "/tmp"],
  [/objects\/[0-9a-f]{2}(?:\/[0-9a-f]{38})?/g, "objects"],
  [/tmp_obj_\w+/g, "tmp_obj"],
  [/[0-9A-HJKMNP-TV-Z]{26}/g, "ulid"],
  [/[0-9a-f]{40,64}/g, "id"],
  [/\d+/g, "0"],
];

/**
 * Which calls of one command after the other are worth a strike: commands go much of the same way (lock, journal, log, refs), and
 * a call that differs from one of an earlier command by ids and numbers alone, and is the same one of its like, finds the same there.
 */
export class DistinctCalls {
  readonly #struck = new Set<string>();

  /** Of the calls at these numbers (from 1) those that no earlier command had, and one of twenty of the others. */
  take(calls: readonly string[], numbers: readonly number[]): number[] {
    const kinds = kindsOf(calls);
    let known = 0;
    return numbers.filter((number) => {
      const kind = kinds[number - 1] ?? "";
      if (this.#struck.has(kind)) return known++ % AGAIN === 0;
      this.#struck.add(kind);
      return true;
    });
  }
}

/** What each call is, whatever was made up for it, and which one of its like. */
function kindsOf(calls: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return calls.map((call) => {
    const like = RENAMED.reduce((text, [pattern, name]) => text.replace(pattern, name), call);
    const count = (seen.get(like) ?? 0) + 1;
    seen.set(like, count);
    return `${like} ${count}`;
  });
}
