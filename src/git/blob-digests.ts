import { createHash, type Hash } from "node:crypto";
import { KaiError } from "../error.js";
import { closed, spawnProgram } from "../system/process.js";
import type { Repository } from "./repository.js";
import { gitFailure } from "./run-git.js";

/**
 * SHA-256 (hexadecimal) of the raw bytes of each blob, from one git process. Blobs stream through: none is held whole,
 * however large. E116 where one is missing.
 */
export async function digestBlobs(repository: Repository, ids: readonly string[]): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  await streamBlobs(repository, ids, {
    onBlob: (id, digest) => digests.set(id, digest),
    onOther: (answer) => {
      throw new KaiError("E116", `The repository lacks an object: ${answer}.`, {
        hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
      });
    },
  });
  return digests;
}

/**
 * The same of those that can be read: one that is missing, damaged or no blob has no digest. One more git process for each
 * that git itself ends at.
 */
export async function digestReadableBlobs(
  repository: Repository,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (let left = ids; left.length > 0; ) {
    const answered = new Set<string>();
    try {
      await streamBlobs(repository, left, {
        onBlob: (id, digest) => {
          answered.add(id);
          digests.set(id, digest);
        },
        onOther: (_, id) => answered.add(id),
      });
      break;
    } catch (cause) {
      const damaged = left.findIndex((id) => !answered.has(id));
      if (damaged < 0 || !(cause instanceof KaiError && cause.code === "E116")) throw cause;
      left = left.slice(damaged + 1);
    }
  }
  return digests;
}

interface BlobSink {
  onBlob(id: string, digest: string): void;
  /** What is no blob here, in git's own words: `<id> missing`, `<id> tree <size>`. */
  onOther(answer: string, id: string): void;
}

async function streamBlobs(repository: Repository, ids: readonly string[], sink: BlobSink): Promise<void> {
  if (ids.length === 0) return;
  const child = spawnProgram({
    file: "git",
    args: ["cat-file", "--batch", "--buffer"],
    cwd: repository.workTree ?? repository.gitDir,
    env: repository.env,
  });
  const end = closed(child, "git");
  const stderr: Buffer[] = [];
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin?.on("error", () => {});
  child.stdin?.end(`${ids.join("\n")}\n`);
  const stream = new BatchStream(sink);
  let failure: unknown;
  child.stdout?.on("data", (chunk: Buffer) => {
    if (failure !== undefined) return;
    try {
      stream.take(chunk);
    } catch (cause) {
      failure = cause;
      child.stdout?.destroy();
    }
  });
  const [exitCode, signal] = await end;
  if (failure !== undefined) throw failure;
  if (exitCode !== 0) {
    throw gitFailure(["cat-file"], {
      stderr: Buffer.concat(stderr),
      exitCode: exitCode ?? undefined,
      signal: signal ?? undefined,
    });
  }
}

/** Reads `<id> <type> <size>`, the bytes and a line feed, over and over, in whatever chunks they come. */
class BatchStream {
  readonly #sink: BlobSink;
  #header = "";
  #id = "";
  #left = -1;
  #hash: Hash | undefined;

  constructor(sink: BlobSink) {
    this.#sink = sink;
  }

  take(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#left < 0) offset = this.#takeHeader(chunk, offset);
      else if (this.#left > 0) offset = this.#takeContent(chunk, offset);
      else offset = this.#takeEnd(offset);
    }
  }

  #takeHeader(chunk: Buffer, offset: number): number {
    const end = chunk.indexOf(10, offset);
    this.#header += chunk.toString("latin1", offset, end < 0 ? chunk.length : end);
    if (end < 0) return chunk.length;
    const header = this.#header;
    const [id = "", type, size] = header.split(" ");
    if (type !== "blob") this.#sink.onOther(header, id);
    this.#header = "";
    if (size === undefined) return end + 1;
    this.#id = id;
    this.#left = Number(size);
    this.#hash = type === "blob" ? createHash("sha256") : undefined;
    return end + 1;
  }

  #takeContent(chunk: Buffer, offset: number): number {
    const part = chunk.subarray(offset, offset + this.#left);
    this.#hash?.update(part);
    this.#left -= part.length;
    return offset + part.length;
  }

  /** The line feed behind the content. */
  #takeEnd(offset: number): number {
    if (this.#hash) this.#sink.onBlob(this.#id, this.#hash.digest("hex"));
    this.#left = -1;
    return offset + 1;
  }
}
