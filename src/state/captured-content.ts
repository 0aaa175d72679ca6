import { createHash } from "node:crypto";
import { closeSync, constants, fsyncSync, openSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { readChunks } from "../system/file-chunks.js";
import { type CapturedFile, type StoredBytes, storedBytesOf } from "./capture-manifest.js";
import { type OpenedCapture, type OpenedFile, unusable } from "./open-capture.js";
import { LARGE_BYTES, listMissing, storedFile } from "./state-store.js";

/** Writes a captured file to `target`, which must not be there yet, and syncs it. E102 unless it is the captured one to the byte. */
export const writeCaptured = (
  repository: Repository,
  capture: OpenedCapture,
  file: OpenedFile,
  target: string,
): Promise<void> => write(repository, capture, file, target, "opened");

/** The same of what is kept: of an encrypted file the message, which takes no key. */
export const writeKept = (
  repository: Repository,
  capture: OpenedCapture,
  file: OpenedFile,
  target: string,
): Promise<void> => write(repository, capture, file, target, "kept");

/** Whether what is encrypted is opened, or taken as it is kept. */
type Form = "opened" | "kept";

async function write(
  repository: Repository,
  capture: OpenedCapture,
  file: OpenedFile,
  target: string,
  form: Form,
): Promise<void> {
  const { captured } = file;
  // What an agent remembers is its own, unless a file that it is put in place of says otherwise.
  const mode = form === "opened" ? 0o700 : 0o755;
  const out = openSync(target, "wx", mode & (captured.mode === "100755" ? 0o777 : 0o666));
  try {
    const sink = new VerifyingSink(out);
    await readInto(sink, repository, capture, file, form);
    if (!sink.isWhole(form === "kept" ? storedBytesOf(captured) : captured)) {
      throw damaged(capture, captured);
    }
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
}

/** Reads a captured file back and throws E102 unless it is the captured one to the byte. */
export async function verifyCaptured(repository: Repository, capture: OpenedCapture, file: OpenedFile): Promise<void> {
  const sink = new VerifyingSink(undefined);
  await readInto(sink, repository, capture, file, "opened");
  if (!sink.isWhole(file.captured)) throw damaged(capture, file.captured);
}

function damaged({ ref }: OpenedCapture, captured: CapturedFile): KaiError {
  const large = captured.stored === "kai" ? [storedBytesOf(captured).sha256] : [];
  return unusable(ref, `${captured.path} is not the file that was captured`, [captured.path], large);
}

async function readInto(
  sink: VerifyingSink,
  repository: Repository,
  capture: OpenedCapture,
  file: OpenedFile,
  form: Form,
): Promise<void> {
  const { captured } = file;
  const opens = captured.encrypted !== undefined && form === "opened";
  if (captured.stored === "kai") {
    const handle = await openStored(repository, capture, captured);
    try {
      if (opens) await openInto(sink, capture, handle.createReadStream({ autoClose: false, start: 0 }));
      else await readChunks(handle, (chunk) => sink.take(chunk));
    } finally {
      await handle.close();
    }
    return;
  }
  if (file.blob === undefined) throw unusable(capture.ref, `${captured.path} is missing`, [captured.path]);
  if (storedBytesOf(captured).size > LARGE_BYTES && !opens) {
    await runGit(repository, ["cat-file", "blob", file.blob], { onStdout: (chunk) => sink.take(chunk) });
    return;
  }
  const content = (await capture.reader.find(file.blob))?.content ?? Buffer.alloc(0);
  if (opens) await openInto(sink, capture, content);
  else sink.take(content);
}

async function openInto(sink: VerifyingSink, capture: OpenedCapture, message: Readable | Buffer): Promise<void> {
  if (capture.decryption === undefined) {
    throw new KaiError("E110", `The captured state ${capture.ref} is encrypted, and no key was given to open it.`);
  }
  for await (const chunk of capture.decryption.open(message)) sink.take(chunk);
}

async function openStored(repository: Repository, capture: OpenedCapture, captured: CapturedFile): Promise<FileHandle> {
  const file = storedFile(repository, storedBytesOf(captured).sha256);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return open(file, flags).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT" && cause.code !== "ELOOP") throw cause;
    const missing = listMissing(repository, capture.manifest);
    const paths = missing.map(({ path }) => path);
    const why = `${paths.join(", ")} ${paths.length === 1 ? "is" : "are"} not in this clone's store of large files`;
    throw unusable(capture.ref, why, paths, [...new Set(missing.map((each) => storedBytesOf(each).sha256))]);
  });
}

/** Digests what goes into a file, or into none. */
class VerifyingSink {
  readonly #out: number | undefined;
  readonly #hash = createHash("sha256");
  #size = 0;
  #failure: unknown;

  constructor(out: number | undefined) {
    this.#out = out;
  }

  /** A write that fails is remembered: thrown here it would be nobody's. */
  take(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#out === undefined) return;
    try {
      for (let written = 0; written < chunk.length; ) written += writeSync(this.#out, chunk, written);
    } catch (cause) {
      this.#failure = cause;
    }
  }

  isWhole({ sha256, size }: StoredBytes): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#size === size && this.#hash.digest("hex") === sha256;
  }
}
