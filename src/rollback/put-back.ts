import { readdir } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { type StagedOutput, writeStagedOutputs } from "../operation/apply-outputs.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { keptFolder, keptOutput, listKept, readKeptOutputs } from "../operation/kept-outputs.js";
import { makeFolder } from "../system/durable-file.js";
import { findStat, readablePath } from "../system/path-bytes.js";

/** What an operation replaced of the things that git ignores, and what is there instead of nothing. */
export interface PutBack {
  /** The operation. */
  readonly of: string;
  readonly outputs: readonly StagedOutput[];
}

/** What has to be put back where an operation is taken back; undefined where it replaced nothing, or a later one did. */
export async function findPutBack(repository: Repository, operation: string): Promise<PutBack | undefined> {
  const { replaced } = kaiFolderOf(repository);
  const folder = keptFolder(replaced, operation);
  const kept = await readKeptOutputs(folder);
  if (kept === undefined) return undefined;
  // By their ids operations stand in the order of time.
  for (const name of await readdir(replaced).catch(() => [])) {
    if (name > operation && (await readKeptOutputs(keptFolder(replaced, name))) !== undefined) return undefined;
  }
  const outputs: StagedOutput[] = [];
  for (const [number, { path: name, placed }] of kept.entries()) {
    if (!placed) continue;
    const stood = (await findStat(keptOutput(folder, number))) !== undefined;
    outputs.push({ path: name, source: stood ? { kind: "kept", number } : { kind: "none" } });
  }
  return outputs.length === 0 ? undefined : { of: operation, outputs };
}

/** Something that git ignores and that an operation replaced. */
export interface Replaced {
  readonly path: string;
  /** Where it is kept, absolute. */
  readonly kept: string;
}

/** What an operation replaced and is kept. */
export async function listReplaced(repository: Repository, operation: string): Promise<Replaced[]> {
  const kept = await listKept(keptFolder(kaiFolderOf(repository).replaced, operation));
  return kept.map((each) => ({ ...each, path: readablePath(each.path) }));
}

/** Notes in the staging folder of `operation` what it puts back; it stays where it is kept until that has happened. */
export async function stagePutBack({ of, outputs }: PutBack, folder: string, operation: string): Promise<void> {
  await makeFolder(path.join(folder, "outputs"), 0o777);
  await writeStagedOutputs(folder, { operation, restores: of, outputs });
}
