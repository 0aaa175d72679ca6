import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../system/durable-file.js";
import { StreamRedactor } from "../runs/redact.js";

export type OutputStream = "stdout" | "stderr";

/** Bytes kept of each stream in a result; the log has more. */
const KEPT = 1024 * 1024;
/** Bytes written of each stream: a runaway must not fill the disk. */
const LOGGED = 256 * 1024 * 1024;

export interface OutputRequest {
  /** A file for each stream, `<id>.stdout` and `<id>.stderr`, goes there; undefined: none. */
  readonly folder: string | undefined;
  readonly id: string;
  /** Values that are masked, wherever they are printed. */
  readonly secrets: readonly string[];
  /** Sees everything as it comes, secrets too: the user's own terminal. */
  readonly onChunk?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
}

/** What an execution prints: shown as it comes, kept up to a limit, and logged in full. */
export class ExecutionOutput {
  readonly #request: OutputRequest;
  readonly #streams: Readonly<Record<OutputStream, Kept>>;

  private constructor(request: OutputRequest, files: Readonly<Record<OutputStream, WriteStream | undefined>>) {
    this.#request = request;
    this.#streams = {
      stdout: new Kept(files.stdout, request.secrets),
      stderr: new Kept(files.stderr, request.secrets),
    };
  }

  static async open(request: OutputRequest): Promise<ExecutionOutput> {
    const { folder, id } = request;
    if (folder !== undefined) await makeFolder(folder);
    const file = (stream: OutputStream) =>
      folder === undefined ? undefined : createWriteStream(path.join(folder, `${id}.${stream}`), { mode: 0o600 });
    return new ExecutionOutput(request, { stdout: file("stdout"), stderr: file("stderr") });
  }

  readonly take = (stream: OutputStream, chunk: Buffer): void => {
    this.#request.onChunk?.(stream, chunk);
    this.#streams[stream].take(chunk);
  };

  /** What is kept of both, and how many bytes are not. */
  async end(): Promise<{ stdout: Buffer; stderr: Buffer; dropped: number }> {
    const [stdout, stderr] = [await this.#streams.stdout.end(), await this.#streams.stderr.end()];
    return { stdout: stdout.bytes, stderr: stderr.bytes, dropped: stdout.dropped + stderr.dropped };
  }
}

class Kept {
  readonly #file: WriteStream | undefined;
  readonly #redactor: StreamRedactor;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #failed = false;

  constructor(file: WriteStream | undefined, secrets: readonly string[]) {
    this.#file = file;
    this.#redactor = new StreamRedactor(secrets);
    // A log that cannot be written ends no execution.
    file?.on("error", () => {
      this.#failed = true;
    });
  }

  take(chunk: Buffer): void {
    this.#keep(this.#redactor.push(chunk));
  }

  async end(): Promise<{ bytes: Buffer; dropped: number }> {
    this.#keep(this.#redactor.end());
    if (this.#file && !this.#failed) {
      this.#file.end();
      await Promise.race([once(this.#file, "close"), once(this.#file, "error")]);
    }
    const bytes = Buffer.concat(this.#chunks);
    return { bytes, dropped: this.#size - bytes.length };
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    if (this.#size < LOGGED && !this.#failed) this.#file?.write(bytes.subarray(0, LOGGED - this.#size));
    if (this.#size < KEPT) this.#chunks.push(bytes.subarray(0, KEPT - this.#size));
    this.#size += bytes.length;
  }
}
