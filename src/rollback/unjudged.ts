import { readFile, rm, writeFile } from "node:fs/promises";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";

/** An operation behind whose commit point its agent is asked how it is, and ways out are taken where it is ill. */
export interface Unjudged {
  readonly operation: string;
  /** The rollback that did not hold, whose way out it is; null for none. */
  readonly recovers: string | null;
}

/**
 * Notes that such an operation begins, so that `recover` can go on where nobody came to the end of that. It helps and decides
 * nothing: it is not synced, and what cannot be written is left out.
 */
export async function noteUnjudged(repository: Repository, { operation, recovers }: Unjudged): Promise<void> {
  const { commonDir } = repository;
  const note = JSON.stringify({ operation, recovers, commonDir });
  await writeFile(kaiFolderOf(repository).unjudged, `${note}\n`).catch(() => {});
}

/** The operation of which that was noted last; undefined for none, also in a copy of the repository, whose agent is another. */
export async function findUnjudged(repository: Repository): Promise<Unjudged | undefined> {
  try {
    const { operation, recovers, commonDir } = JSON.parse(await readFile(kaiFolderOf(repository).unjudged, "utf8"));
    if (commonDir !== repository.commonDir || typeof operation !== "string") return undefined;
    return { operation, recovers: typeof recovers === "string" ? recovers : null };
  } catch {
    return undefined;
  }
}

/** The agent was asked, and where it is ill each way out was tried or told. */
export const dropUnjudged = (repository: Repository): Promise<void> =>
  rm(kaiFolderOf(repository).unjudged, { force: true }).catch(() => {});
