import type { LogPart } from "./log-part.js";

/** The texts of the commits of parts that follow each other, newest first. A block that was kept and is damaged is read anew. */
export class LogText {
  readonly #parts: readonly LogPart[];
  readonly #readAnew: () => Buffer;

  /** `readAnew` gives all the commits of the parts, as git prints them. */
  constructor(parts: readonly LogPart[], readAnew: () => Buffer) {
    this.#parts = parts;
    this.#readAnew = readAnew;
  }

  /** All of them, or those that hold `words`. */
  *texts(words?: string): Generator<string> {
    let passed = 0;
    for (const { blocks } of this.#parts) {
      for (const { commits, read } of blocks) {
        const bytes = read();
        if (bytes === undefined) {
          yield* textsIn(behind(this.#readAnew(), passed), words);
          return;
        }
        yield* textsIn(bytes, words);
        passed += commits;
      }
    }
  }
}

function* textsIn(bytes: Buffer, words: string | undefined): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const at = words === undefined ? start : bytes.indexOf(words, start);
    if (at < 0) return;
    const end = endOf(bytes, at);
    yield bytes.toString("utf8", words === undefined ? start : bytes.lastIndexOf(0, at) + 1, end);
    start = end + 1;
  }
}

/** What lies behind so many commits. */
function behind(bytes: Buffer, commits: number): Buffer {
  let start = 0;
  for (let passed = 0; passed < commits; passed++) start = endOf(bytes, start) + 1;
  return bytes.subarray(start);
}

function endOf(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(0, from);
  return end < 0 ? bytes.length : end;
}
