import { cp, mkdir, mkdtemp, rename } from "node:fs/promises";
import path from "node:path";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { writeTree } from "../git/write-tree.js";
import { stagedOutput, writeStagedOutputs } from "../operation/apply-outputs.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import type { CommandOutcome } from "../system/agent-process.js";
import { pathBelow } from "../system/path-bytes.js";

/** What a command made in a copy of a tree. */
export interface InstalledAside {
  /** The copy. */
  readonly folder: string;
  /** What it made there and git ignores (latin1), folders as one: what may be replaced without anybody's loss. */
  readonly outputs: readonly string[];
}

export interface InstallRequest {
  readonly operation: string;
  readonly tree: string;
  /** Runs the command in the copy. */
  readonly run: (cwd: string) => Promise<CommandOutcome>;
  readonly isLiveState: (path: string) => boolean;
  readonly inherit: readonly number[];
}

/** Writes the files of a tree aside, runs a command there, and finds what it made. */
export async function installAside(
  repository: Repository,
  request: InstallRequest,
): Promise<{ outcome: CommandOutcome; installed: InstalledAside }> {
  const { staging } = kaiFolderOf(repository);
  await mkdir(staging, { recursive: true });
  const scratch = await mkdtemp(path.join(staging, `install-${request.operation}-`));
  const folder = path.join(scratch, "files");
  await mkdir(folder);
  await writeTree(repository, request.tree, folder, scratch, request.inherit);
  const outcome = await request.run(folder);
  const outputs = outcome.ok ? await findIgnored(repository, folder, path.join(scratch, "index")) : [];
  return { outcome, installed: { folder, outputs: outputs.filter((name) => !request.isLiveState(name)) } };
}

async function findIgnored(repository: Repository, workTree: string, index: string): Promise<string[]> {
  const env = { GIT_INDEX_FILE: index, GIT_WORK_TREE: workTree };
  const args = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"];
  const listed = await runGit(repository, args, { env, cwd: workTree });
  return listed
    .toString("latin1")
    .split("\0")
    .filter((name) => name !== "")
    .map((name) => name.replace(/\/$/, ""));
}

/** Moves what was installed into an operation's staging folder, from where it goes into its place. */
export async function stageOutputs({ folder: from, outputs }: InstalledAside, folder: string): Promise<void> {
  await mkdir(path.join(folder, "outputs"), { recursive: true });
  for (const [number, name] of outputs.entries()) {
    await moveAcross(pathBelow(from, name), stagedOutput(folder, number));
  }
  await writeStagedOutputs(folder, outputs);
}

async function moveAcross(from: Buffer, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EXDEV") throw cause;
    await cp(from.toString(), to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  }
}
