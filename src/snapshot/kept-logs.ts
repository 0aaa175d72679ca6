import { existsSync, readdirSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { decodeTime } from "ulid";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { makeFolder } from "../system/durable-file.js";
import { type ExecutionLog, writeExecutionLog } from "./execution-log.js";
import { isSnapshotId } from "./is-snapshot-record.js";

/** Where the output of throw-away runs lies that is longer than their records keep, a folder each. */
const keptLogsIn = (repository: Repository): string => path.join(kaiFolderOf(repository).root, "logs");

/** Bytes of all of them; beyond it the oldest go. */
const MOST_BYTES = 4 * 1024 ** 3;

/** Keeps what a run printed beyond its sandbox's end: `folder` is moved, and told of. */
export async function keepLogs(repository: Repository, folder: string, id: string, log: ExecutionLog): Promise<void> {
  if (!existsSync(folder)) return;
  await writeExecutionLog(folder, id, log);
  await makeFolder(keptLogsIn(repository));
  await rename(folder, path.join(keptLogsIn(repository), id));
  let bytes = 0;
  for (const each of keptIn(repository).toReversed()) {
    const kept = path.join(keptLogsIn(repository), each);
    bytes += sizeOf(kept);
    if (bytes > MOST_BYTES && each !== id) await rm(kept, { recursive: true, force: true });
  }
}

/** The folders of those whose id begins or ends so. */
export function findKeptLogs(repository: Repository, asked: string): string[] {
  const wanted = asked.toUpperCase();
  const ids = keptIn(repository).filter((id) => wanted !== "" && (id.startsWith(wanted) || id.endsWith(wanted)));
  return ids.map((id) => path.join(keptLogsIn(repository), id));
}

/** Removes those that are older than `keepMs`, or only gives their ids. */
export async function pruneKeptLogs(
  repository: Repository,
  { keepMs, now, dryRun }: { readonly keepMs: number; readonly now: Date; readonly dryRun: boolean },
): Promise<string[]> {
  const old = keptIn(repository).filter((id) => now.getTime() - decodeTime(id) > keepMs);
  if (!dryRun) {
    for (const id of old) await rm(path.join(keptLogsIn(repository), id), { recursive: true, force: true });
  }
  return old;
}

const keptIn = (repository: Repository): string[] => namesIn(keptLogsIn(repository)).filter(isSnapshotId).sort();

/** Bytes in a folder; nothing of what somebody removes meanwhile. */
function sizeOf(folder: string): number {
  const sizes = namesIn(folder).map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, each) => sum + each, 0);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
