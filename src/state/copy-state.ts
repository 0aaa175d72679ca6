import { lstatSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { makeFolder } from "../system/durable-file.js";
import { readablePath } from "../system/path-bytes.js";
import { SQLITE_SIBLINGS } from "../system/sqlite.js";
import { type CopiedFile, copyStateFile, type Unreadable } from "./copy-state-file.js";
import { isOneMoment, lookAt, type Moment } from "./moment.js";
import { LARGE_BYTES } from "./state-store.js";

export interface CopyRequest {
  /** Paths, latin1. */
  readonly files: readonly string[];
  /** A folder of ours for the copies; made anew. */
  readonly scratch: string;
  /** Whether the agent was stopped for it. */
  readonly standsStill?: boolean | undefined;
  /** Whose reason is thrown where nobody waits for the copies any more. */
  readonly cancelled?: AbortSignal | undefined;
  /** What becomes of a database that SQLite cannot read; by default it is refused. */
  readonly unreadable?: Unreadable | undefined;
  /**
   * Whether a database is about to be put at a path: what SQLite keeps beside a file that is none goes away then, so it is copied
   * with it. It always is with a database that SQLite cannot read.
   */
  readonly becomesDatabase?: ((path: string) => boolean) | undefined;
}

/** Copies of an agent's runtime state: all that takes the live files, and nothing that can be done later. */
export interface StateCopies {
  readonly copied: readonly CopiedFile[];
  /** Paths that were named as state and are no regular files. */
  readonly skipped: readonly string[];
  /** How the files looked just before they were copied. */
  readonly seen: Moment;
  /** Whether all of it is of one moment. */
  readonly consistent: boolean;
}

/** So often small state is copied where it was written meanwhile. */
const TRIES = 3;
/** And any, where the agent stands still: who opens a database first that it left in the middle of a transaction rolls that back. */
const TRIES_STANDING_STILL = 2;

/**
 * Copies the live state as it is now. Databases are copied by SQLite itself, so the agent may go on writing; whether all files
 * are of one moment nevertheless is found out.
 */
export async function copyState(
  repository: Repository & { workTree: string },
  request: CopyRequest,
): Promise<StateCopies> {
  const { files, scratch, standsStill = false } = request;
  for (let left = (standsStill ? TRIES_STANDING_STILL : TRIES) - 1; ; left--) {
    await rm(scratch, { recursive: true, force: true });
    await makeFolder(scratch);
    const since = lstatSync(scratch, { bigint: true }).mtimeNs;
    const before = await lookAt(repository.workTree, files);
    const { copied, skipped } = await copyFiles(repository, request);
    // A database alone is of one moment, whoever writes.
    const alone = copied.length === 1 && copied[0]?.kind === "sqlite";
    const consistent = alone || isOneMoment(before, await lookAt(repository.workTree, files), since);
    const bytes = copied.reduce((sum, { size }) => sum + size, 0);
    if (consistent || left === 0 || (bytes > LARGE_BYTES && !standsStill))
      return { copied, skipped, seen: before, consistent };
  }
}

async function copyFiles(
  repository: Repository & { workTree: string },
  { files, scratch, cancelled, unreadable = "refuse", becomesDatabase }: CopyRequest,
): Promise<Pick<StateCopies, "copied" | "skipped">> {
  const copied: CopiedFile[] = [];
  const skipped: string[] = [];
  const copy = async (name: string) => {
    cancelled?.throwIfAborted();
    const file = await copyStateFile(repository, name, String(copied.length), scratch, unreadable);
    if (file) copied.push(file);
    return file;
  };
  for (const name of files) {
    const file = await copy(name);
    if (file === undefined) skipped.push(readablePath(name));
    if (file?.kind !== "file" || (file.unreadable === undefined && !becomesDatabase?.(name))) continue;
    for (const ending of SQLITE_SIBLINGS) if (!files.includes(name + ending)) await copy(name + ending);
  }
  return { copied, skipped };
}
