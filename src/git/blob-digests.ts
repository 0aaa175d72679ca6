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
  if (ids.length === 0) return digests;
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
  const stream = new BatchStream((id, digest) => digests.set(id, digest));
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
  return digests;
}

/** Reads `<id> blob <size>`, the bytes and a line feed, over and over, in whatever chunks they come. */
class BatchStream {
  readonly #onBlob: (id: string, digest: string) => void;
  #header = "";
  #id = "";
  #left = -1;
  #hash: Hash | undefined;

  constructor(onBlob: (id: string, digest: string) => void) {
    this.#onBlob = onBlob;
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
    const match = /^([0-9a-f]{40,64}) blob (\d+)$/.exec(this.#header);
    if (!match) {
      throw new KaiError("E116", `The repository lacks an object: ${this.#header}.`, {
        hint: "`git fsck` shows what is missing; fetch it from a complete clone.",
      });
    }
    this.#header = "";
    this.#id = match[1] ?? "";
    this.#left = Number(match[2]);
    this.#hash = createHash("sha256");
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
    this.#onBlob(this.#id, this.#hash?.digest("hex") ?? "");
    this.#left = -1;
    return offset + 1;
  }
}
