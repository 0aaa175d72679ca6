import type { TakeOutput } from "../system/hand-on.js";

const PODMANS =
  /^Error: .*(?:has already been removed|no such (?:container|exec session)|container state improper|exec session)/;
const LONGEST = 1024;

/**
 * Hands on what an execution prints, but for a last line on stderr that reads like podman's own: whoever knows how it ended
 * says whether that belongs to the command.
 */
export class LastWords {
  readonly #onChunk: TakeOutput | undefined;
  #held: Buffer | undefined;

  constructor(onChunk: TakeOutput | undefined) {
    this.#onChunk = onChunk;
  }

  readonly take: TakeOutput = (stream, chunk) => {
    if (stream === "stdout") {
      return this.#onChunk?.(stream, chunk);
    }
    this.release();
    const at = lastLineOf(chunk);
    const isPodmans = chunk.length - at <= LONGEST && PODMANS.test(chunk.subarray(at).toString());
    if (isPodmans) this.#held = chunk.subarray(at);
    const rest = isPodmans ? chunk.subarray(0, at) : chunk;
    return rest.length > 0 ? this.#onChunk?.(stream, rest) : undefined;
  };

  /** Whether there is such a line. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** It was the command's. */
  release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#onChunk?.("stderr", held);
  }
}

/** Where the last line begins. */
const lastLineOf = (chunk: Buffer): number => (chunk.length < 2 ? 0 : chunk.lastIndexOf("\n", chunk.length - 2) + 1);
