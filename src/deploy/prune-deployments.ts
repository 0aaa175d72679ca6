import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { SEAL_FILE } from "../state/find-state-files.js";
import { findStat } from "../system/path-bytes.js";
import { type DeploymentRoot, versionOfFolder } from "../version/deployment-root.js";
import { findSeal } from "./deployment.js";
import { removeDeployment } from "./deployment-parts.js";
import { type DeployedFolder, planPruning } from "./plan-pruning.js";

export interface Pruning {
  readonly keep: number;
  /** Versions whose folders stay whatever their age: the one that `current` leads to, and the one before it. */
  readonly needed: readonly (string | null)[];
  /** The repository's id: a folder is ours whose seal has it, or that the log tells of. */
  readonly repo: string;
  /** When a folder was last deployed, by the log; undefined where it tells of none. */
  readonly deployedAt: (folder: string) => Date | undefined;
  readonly dryRun: boolean;
  /** The folder of the repository in which what is being removed is out of sight. */
  readonly staging: string;
  readonly operation: string;
}

/** Removes deployments beyond the newest `keep`, and gives their versions. Folders that are none of ours stay. */
export async function pruneDeployments({ versions }: DeploymentRoot, pruning: Pruning): Promise<readonly string[]> {
  const folders: DeployedFolder[] = [];
  for (const name of await readdir(versions).catch(() => [])) {
    const version = versionOfFolder(name);
    const folder = path.join(versions, name);
    if (version === null || !(await findStat(path.join(folder, SEAL_FILE)))) continue;
    const at = pruning.deployedAt(folder);
    if (at === undefined && findSeal(folder)?.repo !== pruning.repo) continue;
    folders.push({ version, at: at ?? (await stat(folder)).mtime });
  }
  const needed = new Set(pruning.needed.filter((version) => version !== null));
  const removed: string[] = [];
  for (const version of planPruning(folders, pruning.keep, needed)) {
    // One that cannot be removed now is tried again by the next deployment; this one has happened.
    if (pruning.dryRun || (await isRemoved(path.join(versions, `v${version}`), pruning))) removed.push(version);
  }
  return removed;
}

const isRemoved = (folder: string, { staging, operation }: Pruning): Promise<boolean> =>
  removeDeployment(folder, staging, operation).then(
    () => true,
    () => false,
  );
