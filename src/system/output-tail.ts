/** The last bytes of an output of any length. */
export class OutputTail {
  readonly #limit: number;
  #chunks: Buffer[] = [];
  #size = 0;
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // Cut now and then, not at every chunk: each cut copies what is kept.
    if (this.#size > 2 * this.#limit) this.#cut();
  }

  /** What was kept as text, and how many bytes before it were not. */
  end(): { output: string; dropped: number } {
    const { bytes, dropped } = this.endBytes();
    return { output: bytes.toString(), dropped };
  }

  /** The same as bytes, from the beginning of a character of UTF-8. */
  endBytes(): { bytes: Buffer; dropped: number } {
    this.#cut();
    const bytes = Buffer.concat(this.#chunks);
    const start = this.#dropped > 0 ? firstWholeCharacter(bytes) : 0;
    return { bytes: bytes.subarray(start), dropped: this.#dropped + start };
  }

  #cut(): void {
    const over = this.#size - this.#limit;
    if (over <= 0) return;
    this.#chunks = [Buffer.concat(this.#chunks).subarray(over)];
    this.#size = this.#limit;
    this.#dropped += over;
  }
}

/** Where UTF-8 text that was cut off begins again: behind at most three bytes 10xxxxxx. */
function firstWholeCharacter(bytes: Buffer): number {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return start;
}
