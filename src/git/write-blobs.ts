import { once } from "node:events";
import type { Writable } from "node:stream";
import { closed, spawnProgram } from "../system/process.js";
import { SYNCED_REFS } from "./ref-transaction.js";
import type { Repository } from "./repository.js";
import { gitFailure } from "./run-git.js";

/** The bytes of a blob to be: as many as `size` says, or `chunks` throws. */
export interface BlobSource {
  readonly size: number;
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * Writes blobs as they come, byte for byte and one after the other, by one git process that holds none of them whole; gives
 * their ids in order. The format is that of git-fast-import(1). What `chunks` throws ends it: then no blob is named by anything.
 */
export async function writeBlobs(
  repository: Repository,
  sources: readonly BlobSource[],
  inherit: readonly number[] = [],
): Promise<string[]> {
  if (sources.length === 0) return [];
  const args = ["fast-import", "--quiet", "--done"];
  const child = spawnProgram({
    file: "git",
    args: [...SYNCED_REFS.flatMap((setting) => ["-c", setting]), ...args],
    cwd: repository.gitDir,
    env: repository.env,
    inherit,
  });
  const end = closed(child, "git");
  end.catch(() => {});
  const [told, words]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => told.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => words.push(chunk));
  child.stdin?.on("error", () => {});
  try {
    if (child.stdin) await feed(child.stdin, sources, end);
  } catch (cause) {
    child.kill("SIGKILL");
    await end.catch(() => {});
    throw cause;
  }
  const [exitCode, signal] = await end;
  if (exitCode !== 0) {
    const stderr = Buffer.concat(words);
    throw gitFailure(args, { stderr, exitCode: exitCode ?? undefined, signal: signal ?? undefined });
  }
  return Buffer.concat(told).toString().trim().split("\n");
}

/** All bytes of a small one. Throws where there are not as many as it says. */
export async function readSource(source: BlobSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await eachChunk(source, async (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

async function eachChunk(source: BlobSource, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  let left = source.size;
  for await (const chunk of source.chunks()) {
    left -= chunk.length;
    if (left < 0) break;
    await take(chunk);
  }
  if (left !== 0) throw new Error("a file changed while it was read");
}

async function feed(stdin: Writable, sources: readonly BlobSource[], end: Promise<unknown>): Promise<void> {
  const say = async (bytes: string | Uint8Array) => {
    // A git that has ended reads no more, and its exit status says why.
    if (!stdin.write(bytes)) await Promise.race([once(stdin, "drain"), end]);
  };
  for (const source of sources) {
    await say(`blob\nmark :1\ndata ${source.size}\n`);
    await eachChunk(source, say);
    await say("\nget-mark :1\n");
  }
  stdin.end("done\n");
}
