import { constants } from "node:fs";
import { copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { writeTree } from "../git/write-tree.js";
import { type StagedOutput, stagedOutput, writeStagedOutputs } from "../operation/apply-outputs.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { CommandOutcome } from "../system/agent-process.js";
import { makeFolder } from "../system/durable-file.js";
import { copyTree, tryRename } from "../system/move-tree.js";
import { findStat, pathBelow } from "../system/path-bytes.js";
import { syncFiles } from "../system/sync-files.js";
import { findIgnored } from "./find-ignored.js";

/** What a command made in a copy of a tree. */
export interface InstalledAside {
  /** The copy. */
  readonly folder: string;
  /** What it made there and git ignores (latin1), folders as one: it replaces what is in the working tree. */
  readonly outputs: readonly string[];
  /** Removes the copy. */
  remove(): Promise<void>;
}

export interface InstallRequest {
  readonly operation: string;
  readonly tree: string;
  /** Runs the command in the copy. */
  readonly run: (cwd: string) => Promise<CommandOutcome>;
  /** Files of the live state as it is now (latin1). */
  readonly liveState: readonly string[];
  readonly isLiveState: (path: string) => boolean;
  readonly inherit: readonly number[];
}

/**
 * Writes the files of a tree aside, with the single files that git ignores in the working tree (settings such as `.env`, which
 * a command that makes them only where they are missing must not make anew), runs a command there, and finds what it made.
 */
export async function installAside(
  repository: Repository & { workTree: string },
  request: InstallRequest,
): Promise<{ outcome: CommandOutcome; installed: InstalledAside }> {
  const { staging } = kaiFolderOf(repository);
  await makeFolder(staging, 0o777);
  const scratch = await mkdtemp(path.join(staging, `install-${request.operation}-`));
  const remove = () => rm(scratch, { recursive: true, force: true });
  try {
    const folder = path.join(scratch, "files");
    await mkdir(folder);
    await writeTree(repository, request.tree, folder, scratch, request.inherit);
    const given = await copyIgnoredFiles(repository, folder, request.isLiveState);
    const outcome = await request.run(folder);
    const index = path.join(scratch, "index");
    const made = outcome.ok ? await findIgnored(repository, { workTree: folder, index }) : [];
    const outputs: string[] = [];
    for (const name of await apartFromState(folder, made.map(bare), request)) {
      if (!(given.has(name) && (await isSame(repository.workTree, folder, name)))) outputs.push(name);
    }
    return { outcome, installed: { folder, outputs, remove } };
  } catch (cause) {
    await remove().catch(() => {});
    throw cause;
  }
}

/** What is larger is no setting, and is left where it is. */
const LARGEST_COPIED = 16 << 20;

async function copyIgnoredFiles(
  repository: Repository & { workTree: string },
  folder: string,
  isLiveState: (path: string) => boolean,
): Promise<Set<string>> {
  const copied = new Set<string>();
  for (const name of await findIgnored(repository, { workTree: repository.workTree })) {
    if (name.endsWith("/") || isLiveState(name)) continue;
    const source = pathBelow(repository.workTree, name);
    const stat = await findStat(source);
    const target = pathBelow(folder, name);
    // Where the tree itself has it, or no folder for it, it is not what is meant.
    const fits = stat?.isFile() && stat.size <= LARGEST_COPIED && (await findStat(target)) === undefined;
    if (!fits || !(await isFolder(folder, name))) continue;
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    copied.add(name);
  }
  return copied;
}

/** Whether what a path lies in is there as folders, no link among them. */
async function isFolder(root: string, name: string): Promise<boolean> {
  const parts = name.split("/");
  for (let depth = 1; depth < parts.length; depth++) {
    const stat = await findStat(pathBelow(root, parts.slice(0, depth).join("/")));
    if (!stat?.isDirectory()) return false;
  }
  return true;
}

async function isSame(one: string, other: string, name: string): Promise<boolean> {
  const [stat, made] = [await findStat(pathBelow(one, name)), await findStat(pathBelow(other, name))];
  if (!(stat?.isFile() && made?.isFile()) || stat.mode !== made.mode || stat.size !== made.size) return false;
  return (await readFile(pathBelow(one, name))).equals(await readFile(pathBelow(other, name)));
}

const bare = (name: string): string => name.replace(/\/$/, "");

/** A folder that live state lies in, too, is not replaced as one: what was made in it is told piece by piece. */
async function apartFromState(
  folder: string,
  outputs: readonly string[],
  { liveState, isLiveState }: Pick<InstallRequest, "liveState" | "isLiveState">,
): Promise<string[]> {
  const apart: string[] = [];
  for (const name of outputs) {
    if (isLiveState(name)) continue;
    if (!liveState.some((each) => each.startsWith(`${name}/`))) {
      apart.push(name);
      continue;
    }
    const inside = (await lstat(pathBelow(folder, name))).isDirectory()
      ? await readdir(pathBelow(folder, name), "latin1")
      : [];
    const names = inside.map((each) => `${name}/${each}`);
    apart.push(...(await apartFromState(folder, names, { liveState, isLiveState })));
  }
  return apart;
}

/** Moves what was installed into an operation's staging folder, from where it goes into its place. */
export async function stageOutputs(
  { folder: from, outputs }: InstalledAside,
  folder: string,
  operation: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await makeFolder(path.join(folder, "outputs"), 0o777);
  for (const [number, name] of outputs.entries()) {
    const [source, target] = [pathBelow(from, name), stagedOutput(folder, number)];
    if (!(await tryRename(source, target))) await copyTree(source.toString(), target);
  }
  // Whoever installs does not sync, and once the operation has happened this is all there is.
  if (outputs.length > 0) await syncFiles(folder, env);
  const staged = outputs.map((name): StagedOutput => ({ path: name, source: { kind: "staged" } }));
  await writeStagedOutputs(folder, { operation, restores: null, outputs: staged });
}
