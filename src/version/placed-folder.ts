import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import type { HeldRoots } from "../operation/held-roots.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { syncFolder, writeDurably } from "../system/durable-file.js";
import { endMarked } from "../system/marked-processes.js";
import { openFolders } from "../system/open-folders.js";
import { findStat } from "../system/path-bytes.js";
import { deploymentRoot, readCurrentLink, versionOfFolder, versionOfLink } from "./deployment-root.js";
import type { History } from "./history.js";
import { agentMark } from "./lifecycle-commands.js";

/** A version's folder that an operation makes. */
interface PlacedFolder {
  readonly operation: string;
  /** Where the repository was: in a copy the folder is not its own. */
  readonly commonDir: string;
  /** Absolute. */
  readonly folder: string;
  /** The inode, which it keeps when it is renamed into place: another one of this name is not ours. */
  readonly inode: string;
}

/** Notes that the folder `whole` is about to be renamed to `folder`, before there is an operation whose journal could tell of it. */
export async function notePlaced(
  repository: Repository,
  { operation, folder, whole }: { readonly operation: string; readonly folder: string; readonly whole: string },
): Promise<void> {
  const inode = String((await findStat(whole))?.ino);
  const placed: PlacedFolder = { operation, commonDir: repository.commonDir, folder, inode };
  await writeDurably(kaiFolderOf(repository).placed, `${JSON.stringify(placed)}\n`);
}

interface Found {
  readonly repo: string;
  readonly history: History;
  readonly roots: HeldRoots;
}

/**
 * Removes the folder that the last operation made, where that operation is not in the log and `current` does not lead there: an agent
 * that was tried in it may have written there. What runs there is ended first. Where it cannot be removed now, the next one tries.
 */
export async function removeUnused(repository: Repository, found: Found): Promise<void> {
  const file = kaiFolderOf(repository).placed;
  if (!(await findStat(file))) return;
  try {
    await removePlaced(repository, JSON.parse(await readFile(file, "utf8")), found);
    await rm(file);
  } catch {
    // It is in nobody's way but that version's, whose next deployment says so.
  }
}

async function removePlaced(
  { commonDir }: Repository,
  placed: PlacedFolder,
  { repo, history, roots }: Found,
): Promise<void> {
  const { operation, folder, inode } = placed;
  const isOurs = async () => String((await findStat(folder))?.ino) === inode;
  const happened = history.findEntry(({ id }) => id === operation) !== undefined;
  if (happened || placed.commonDir !== commonDir || !(await isOurs())) return;
  const { root, versions, current } = deploymentRoot(path.dirname(path.dirname(folder)));
  await roots.hold(root);
  const linked = versionOfLink(await readCurrentLink(current));
  if (linked === versionOfFolder(path.basename(folder)) || !(await isOurs())) return;
  await endMarked(agentMark(repo, folder), 0);
  await openFolders(folder);
  await rm(folder, { recursive: true, force: true });
  await syncFolder(versions);
}
