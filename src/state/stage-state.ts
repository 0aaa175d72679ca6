import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { stagedFile, writeStagedState } from "../operation/staged-state.js";
import { syncFolder } from "../system/durable-file.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import type { CapturedFile } from "./capture-manifest.js";
import { findStateFiles, type StatePatterns } from "./find-state-files.js";
import { type OpenedCapture, type OpenedFile, unusable } from "./open-capture.js";
import { requirePlaces } from "./require-places.js";

/** Beyond this a blob streams through and is never held whole. */
const HELD_BYTES = 16 * 2 ** 20;

/**
 * Prepares what turns the live state into the captured one, without touching it: every byte is verified while it is written to
 * the operation's staging folder, and what `patterns` name today and the capture does not have is to be removed. E102 where
 * the capture is damaged or something that is no file is in the way, E118 where a folder cannot be written.
 */
export async function stageState(
  repository: Repository & { workTree: string },
  capture: OpenedCapture,
  folder: string,
  patterns: StatePatterns,
): Promise<void> {
  const files = capture.files.map(({ path: name, captured }) => ({
    path: name,
    executable: captured.mode === "100755",
    kind: captured.kind,
  }));
  requirePlaces(repository.workTree, files);
  const state = path.join(folder, "state");
  await mkdir(state, { mode: 0o700 });
  for (const [number, file] of capture.files.entries()) {
    await writeVerified(repository, capture, file, stagedFile(folder, number));
  }
  await syncFolder(state);
  const removed = await findRemoved(repository, capture, await findStateFiles(repository, patterns));
  await writeStagedState(folder, { files, removed });
}

/** Files of the live state (latin1 paths) that the capture does not have; links and the like are never ours to remove. */
async function findRemoved(
  repository: { workTree: string },
  capture: OpenedCapture,
  live: readonly string[],
): Promise<string[]> {
  const captured = new Set(capture.files.map((file) => file.path));
  const removed: string[] = [];
  for (const name of live) {
    if (!captured.has(name) && (await findStat(pathBelow(repository.workTree, name)))?.isFile()) removed.push(name);
  }
  return removed;
}

async function writeVerified(
  repository: Repository,
  capture: OpenedCapture,
  { captured, blob }: OpenedFile,
  target: string,
): Promise<void> {
  if (blob === undefined) throw unusable(capture.ref, "a file of it is missing", [captured.path]);
  const out = openSync(target, "wx", captured.mode === "100755" ? 0o755 : 0o644);
  try {
    const sink = new VerifyingSink(out);
    if (captured.size <= HELD_BYTES) sink.take((await capture.reader.find(blob))?.content ?? Buffer.alloc(0));
    else await runGit(repository, ["cat-file", "blob", blob], { onStdout: (chunk) => sink.take(chunk) });
    if (!sink.isWhole(captured)) {
      throw unusable(capture.ref, "a file is not the one that was captured", [captured.path]);
    }
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
}

class VerifyingSink {
  readonly #out: number;
  readonly #hash = createHash("sha256");
  #size = 0;
  #failure: unknown;

  constructor(out: number) {
    this.#out = out;
  }

  /** A write that fails is remembered: thrown here it would be nobody's. */
  take(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#hash.update(chunk);
    this.#size += chunk.length;
    try {
      for (let written = 0; written < chunk.length; ) written += writeSync(this.#out, chunk, written);
    } catch (cause) {
      this.#failure = cause;
    }
  }

  isWhole({ sha256, size }: CapturedFile): boolean {
    if (this.#failure !== undefined) throw this.#failure;
    return this.#size === size && this.#hash.digest("hex") === sha256;
  }
}
