import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { SEAL_FILE } from "../state/find-state-files.js";
import { findStat } from "../system/path-bytes.js";
import { type DeploymentRoot, versionOfFolder } from "../version/deployment-root.js";
import { checkDeployment, findSeal, readDeployment } from "./deployment.js";
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

export interface PrunedDeployments {
  /** Versions whose folders were removed, or would be. */
  readonly removed: readonly string[];
  /** Versions whose folders stay for all that, because they are not what was deployed. */
  readonly changed: readonly string[];
}

/**
 * Removes deployments beyond the newest `keep`. Folders that are none of ours stay, and those in which somebody changed something:
 * it is their work, or the trace of an attack.
 */
export async function pruneDeployments({ versions }: DeploymentRoot, pruning: Pruning): Promise<PrunedDeployments> {
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
  const [removed, changed]: [string[], string[]] = [[], []];
  for (const version of planPruning(folders, pruning.keep, needed)) {
    const folder = path.join(versions, `v${version}`);
    if (!isWhole(folder)) changed.push(version);
    // One that cannot be removed now is tried again by the next deployment; this one has happened.
    else if (pruning.dryRun || (await isRemoved(folder, pruning))) removed.push(version);
  }
  return { removed, changed };
}

function isWhole(folder: string): boolean {
  try {
    return checkDeployment(readDeployment(folder)).length === 0;
  } catch {
    return false;
  }
}

const isRemoved = (folder: string, { staging, operation }: Pruning): Promise<boolean> =>
  removeDeployment(folder, staging, operation).then(
    () => true,
    () => false,
  );
