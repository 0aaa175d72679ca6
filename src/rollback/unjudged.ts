import { readFile, rm, writeFile } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";

/**
 * Notes that an operation begins behind whose commit point the agent is asked how it is, so that `recover` can ask where nobody
 * came to that. It helps and decides nothing: it is not synced, and what cannot be written is left out.
 */
export async function noteUnjudged(repository: Repository, operation: string): Promise<void> {
  const { commonDir } = repository;
  await writeFile(kaiFolderOf(repository).unjudged, `${JSON.stringify({ operation, commonDir })}\n`).catch(() => {});
}

/** The operation of which that was noted last; undefined for none, also in a copy of the repository, whose agent is another. */
export async function findUnjudged(repository: Repository): Promise<string | undefined> {
  try {
    const noted = JSON.parse(await readFile(kaiFolderOf(repository).unjudged, "utf8"));
    return noted.commonDir === repository.commonDir && typeof noted.operation === "string"
      ? noted.operation
      : undefined;
  } catch {
    return undefined;
  }
}

export const dropUnjudged = (repository: Repository): Promise<void> =>
  rm(kaiFolderOf(repository).unjudged, { force: true }).catch(() => {});
