import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import path from "node:path";
import { makeFolder } from "../../system/durable-file.js";
import type { TakeOutput } from "../../system/hand-on.js";
import { OutputTail } from "../../system/output-tail.js";
import { StreamRedactor } from "../runs/redact.js";

export type OutputStream = "stdout" | "stderr";

/** Bytes of each stream in a result: half of them from its beginning, half from its end, where a failure is told. */
const KEPT = 1024 * 1024;
/** Bytes logged of each stream: a runaway must not fill the disk. */
export const LOGGED = 256 * 1024 * 1024;

export interface OutputRequest {
  /** A file for each stream, `<id>.stdout` and `<id>.stderr`, goes there; undefined: none. */
  readonly folder: string | undefined;
  readonly id: string;
  /** Values that are masked, wherever they are printed. */
  readonly secrets: readonly string[];
  /** Sees everything as it comes, masked: what shows it may be a terminal, and as well the log of a CI job. */
  readonly onChunk?: TakeOutput | undefined;
}

/** What an execution prints, with its secrets masked: shown as it comes, and kept and logged up to a limit each. */
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

  readonly take: TakeOutput = (stream, chunk) => this.#show(stream, this.#streams[stream].take(chunk));

  /** What is kept of both, and how many bytes are not. */
  async end(): Promise<{ stdout: Buffer; stderr: Buffer; dropped: number }> {
    for (const stream of ["stdout", "stderr"] as const) this.#show(stream, this.#streams[stream].last());
    const [stdout, stderr] = [await this.#streams.stdout.end(), await this.#streams.stderr.end()];
    return { stdout: stdout.bytes, stderr: stderr.bytes, dropped: stdout.dropped + stderr.dropped };
  }

  #show(stream: OutputStream, told: Buffer): Promise<void> | undefined {
    return told.length > 0 ? this.#request.onChunk?.(stream, told) : undefined;
  }
}

class Kept {
  readonly #file: WriteStream | undefined;
  readonly #redactor: StreamRedactor;
  readonly #head: Buffer[] = [];
  readonly #tail = new OutputTail(KEPT / 2);
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

  /** Gives what can be told of all that came. */
  take(chunk: Buffer): Buffer {
    return this.#keep(this.#redactor.push(chunk));
  }

  /** The same of what may have been the beginning of a secret, and was none. */
  last(): Buffer {
    return this.#keep(this.#redactor.end());
  }

  async end(): Promise<{ bytes: Buffer; dropped: number }> {
    if (this.#file && !this.#failed) {
      this.#file.end();
      await Promise.race([once(this.#file, "close"), once(this.#file, "error")]);
    }
    const { bytes: tail, dropped } = this.#tail.endBytes();
    const head = Buffer.concat(this.#head);
    if (dropped === 0) return { bytes: Buffer.concat([head, tail]), dropped };
    const whole = head.subarray(0, endOfCharacters(head));
    const lost = dropped + head.length - whole.length;
    const between = Buffer.from(`\n[${lost} bytes are not kept here]\n`);
    return { bytes: Buffer.concat([whole, between, tail]), dropped: lost };
  }

  #keep(bytes: Buffer): Buffer {
    if (bytes.length > 0 && this.#size < LOGGED && !this.#failed)
      this.#file?.write(bytes.subarray(0, LOGGED - this.#size));
    const room = Math.max(0, KEPT / 2 - this.#size);
    if (room > 0) this.#head.push(bytes.subarray(0, room));
    if (bytes.length > room) this.#tail.add(bytes.subarray(room));
    this.#size += bytes.length;
    return bytes;
  }
}

/** Where the last whole character of UTF-8 ends; of a cut one at most three bytes are there. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
