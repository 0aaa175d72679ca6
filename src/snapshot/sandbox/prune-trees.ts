import { lstatSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { removeFolder } from "../../podman/folders.js";
import type { SandboxHost } from "./sandbox-folder.js";
import { FINGERPRINT, nameBefore, PART, TREES_LOCK, treesIn } from "./trees-folder.js";

/** What a snapshot that is being begun may take until its record says on which files it stands. */
const BEGINNING_MS = 3_600_000;

export interface UnusedRequest {
  readonly kaiDir: string;
  /** The folders that snapshots stand on. */
  readonly used: readonly string[];
  /** How long they are kept for the next one. */
  readonly keepMs: number;
  readonly now: Date;
}

/** Names of the version trees that no snapshot stands on, and none has for a while. */
export async function listUnusedTrees({ kaiDir, used, keepMs, now }: UnusedRequest): Promise<string[]> {
  const trees = treesIn(kaiDir);
  const before = now.getTime() - Math.max(keepMs, BEGINNING_MS);
  const inUse = new Set(used.map((folder) => path.relative(trees, folder).split(path.sep)[0]));
  const names = await readdir(trees).catch(() => []);
  return names.filter(
    (name) =>
      !name.startsWith(PART) &&
      name !== TREES_LOCK &&
      !inUse.has(nameBefore(name)) &&
      usedLast(path.join(trees, name)) < before,
  );
}

/** Removes them, and gives their names. */
export async function pruneTrees(request: UnusedRequest, host: SandboxHost): Promise<string[]> {
  const unused = await listUnusedTrees(request);
  for (const name of unused) await removeFolder(path.join(treesIn(request.kaiDir), name), host.rootless, host.env);
  return unused;
}

/** When it was used last; of one without a fingerprint, when it was made. */
function usedLast(home: string): number {
  const times = [path.join(home, FINGERPRINT), home].map((file) => lstatSync(file, { throwIfNoEntry: false })?.mtimeMs);
  return times.find((time) => time !== undefined) ?? Number.POSITIVE_INFINITY;
}
