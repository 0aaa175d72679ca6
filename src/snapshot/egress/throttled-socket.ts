import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { TokenBucket } from "./token-bucket.js";

/** Timers know no less; what is shorter passes at once and is waited for with the next piece. */
const SHORTEST_WAIT_MS = 1;

/** A socket whose bytes, both ways, wait for their turn at the bucket. Destroying it destroys the socket. */
export class ThrottledSocket extends Duplex {
  readonly #socket: Socket;
  readonly #bucket: TokenBucket;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What was read of the socket and has not passed. */
  #rest: Buffer | undefined;
  #hungry = false;
  #ended = false;

  constructor(socket: Socket, bucket: TokenBucket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#bucket = bucket;
    socket.on("readable", () => this.#feed());
    socket.once("end", () => {
      this.#ended = true;
      this.#feed();
    });
    socket.once("error", (error) => this.destroy(error));
    socket.once("close", () => {
      if (!this.#ended) this.destroy();
    });
  }

  override _read(): void {
    const chunk = this.#rest ?? (this.#socket.read() as Buffer | null);
    if (chunk === null) {
      this.#hungry = !this.#ended;
      if (this.#ended) this.push(null);
      return;
    }
    const piece = chunk.subarray(0, this.#bucket.piece);
    this.#rest = piece.length < chunk.length ? chunk.subarray(piece.length) : undefined;
    this.#whenPaid(piece.length, () => this.push(piece));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const piece = chunk.subarray(0, this.#bucket.piece);
    const next = (error?: Error | null) => {
      if (error || piece.length === chunk.length) done(error);
      else this._write(chunk.subarray(piece.length), _encoding, done);
    };
    this.#whenPaid(piece.length, () => this.#socket.write(piece, next));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#socket.destroy();
    done(error);
  }

  #feed(): void {
    if (!this.#hungry) return;
    this.#hungry = false;
    this._read();
  }

  #whenPaid(bytes: number, pass: () => void): void {
    const wait = this.#bucket.take(bytes);
    if (wait < SHORTEST_WAIT_MS) {
      pass();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      pass();
    }, wait);
    this.#timers.add(timer);
  }
}
