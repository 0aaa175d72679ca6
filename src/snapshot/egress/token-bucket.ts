/** What may pass at once after a pause, as the time that it would take. It also makes up for timers that are late. */
const BURST_MS = 50;
/** Bytes that pass at once take this long at most, so that all connections get their turn, and never more than `LARGEST`. */
const PIECE_MS = 20;
const LARGEST = 65_536;
const BITS = 8;

/**
 * A rate that many streams share: in any time t, at most `bitsPerSecond` x (t + 50 ms) bits and one piece pass. Each piece is given the
 * time at which it is paid for (virtual scheduling, ITU-T I.371), so nothing is lost to late timers and nobody is served twice.
 */
export class TokenBucket {
  /** The most bytes to ask for at once. */
  readonly piece: number;
  readonly #bytesPerMs: number;
  readonly #now: () => number;
  #paidUntil = Number.NEGATIVE_INFINITY;

  constructor(bitsPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerMs = bitsPerSecond / BITS / 1000;
    this.piece = Math.min(LARGEST, Math.max(1, Math.floor(this.#bytesPerMs * PIECE_MS)));
    this.#now = now;
  }

  /** Takes the right to pass `bytes`; gives the milliseconds to wait until then. */
  take(bytes: number): number {
    const now = this.#now();
    this.#paidUntil = Math.max(this.#paidUntil, now - BURST_MS) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#paidUntil - now);
  }
}
