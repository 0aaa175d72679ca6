import { type FileHandle, open } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as pause } from "node:timers/promises";
import { OutputTail } from "./output-tail.js";

const KEPT_OUTPUT = 64 * 1024;
const LOOK_EVERY_MS = 200;

/** A log file to which somebody else appends, from where it ended when it was opened. */
export class LogTail {
  readonly #file: FileHandle;
  readonly #tail = new OutputTail(KEPT_OUTPUT);
  readonly #decoder = new StringDecoder("utf8");
  readonly #onOutput: ((text: string) => void) | undefined;
  #at: number;

  private constructor(file: FileHandle, at: number, onOutput: ((text: string) => void) | undefined) {
    this.#file = file;
    this.#at = at;
    this.#onOutput = onOutput;
  }

  /** Opens a log to append to, which is made where it is missing; `onOutput` is told what `read` finds. */
  static async open(file: string, onOutput: ((text: string) => void) | undefined): Promise<LogTail> {
    const handle = await open(file, "a+", 0o600);
    return new LogTail(handle, (await handle.stat()).size, onOutput);
  }

  /** For the process that writes. */
  get descriptor(): number {
    return this.#file.fd;
  }

  /** Reads what is appended, as it comes, until `over`. */
  async follow(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#read();
      await pause(LOOK_EVERY_MS, undefined, { signal: over }).catch(() => {});
    }
  }

  /** Reads the rest and closes the file. */
  async end(): Promise<{ output: string; dropped: number }> {
    await this.#read();
    await this.#file.close();
    return this.#tail.end();
  }

  async #read(): Promise<void> {
    // What a broken disk does not give back is not shown; the agent is not judged by it.
    await this.#readOn().catch(() => {});
  }

  async #readOn(): Promise<void> {
    const { size } = await this.#file.stat();
    while (this.#at < size) {
      const { buffer, bytesRead } = await this.#file.read(Buffer.alloc(KEPT_OUTPUT), 0, KEPT_OUTPUT, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      const chunk = buffer.subarray(0, bytesRead);
      this.#tail.add(chunk);
      this.#onOutput?.(this.#decoder.write(chunk));
    }
  }
}
