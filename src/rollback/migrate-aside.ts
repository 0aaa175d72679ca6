import { constants } from "node:fs";
import { copyFile, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { writeTree } from "../git/write-tree.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { type StagedStateFile, stagedFile, writeStagedState } from "../operation/staged-state.js";
import type { SeenState } from "../operation/state-look.js";
import { findStateFiles, type StatePatterns } from "../state/find-state-files.js";
import { openCapture } from "../state/open-capture.js";
import { stageState } from "../state/stage-state.js";
import { type AgentCommand, inScratch } from "../system/agent-command.js";
import { type CommandContext, type CommandOutcome, runAgentCommand } from "../system/agent-process.js";
import { makeFolder, syncFile, syncFolder } from "../system/durable-file.js";
import { findStat, pathBelow, readablePath } from "../system/path-bytes.js";
import { backUpSqlite, isSqlite } from "../system/sqlite.js";
import type { WritingSession } from "../version/writing-session.js";

/** The command that converts the live state, and the version that names it. */
export interface Migration {
  readonly command: AgentCommand;
  /** Object id of the version's commit. */
  readonly commit: string;
}

/**
 * Converts the live state in a copy: the version's files with the state that was just backed up, in which its command runs. What
 * comes out is staged in `folder`, so the live state stays as it is until the commit point; nothing where the command fails.
 */
export async function migrateAside(
  session: WritingSession,
  { command, commit, patterns, seen }: Migration & { readonly patterns: StatePatterns; readonly seen: SeenState },
  folder: string,
  context: CommandContext,
): Promise<CommandOutcome> {
  const { agent, reader, lock, id } = session;
  const { repository } = agent;
  const { workTree } = repository;
  if (workTree === undefined) throw new KaiError("E125", "A bare repository has no live state.");
  const scratch = path.join(kaiFolderOf(repository).staging, `migrate-${id}`);
  const files = path.join(scratch, "files");
  await makeFolder(files, 0o777);
  try {
    await writeTree(repository, `${commit}^{tree}`, files, scratch, [lock.descriptor]);
    const saved = await openCapture(repository, reader, { ref: `refs/kai/backup/${id}-state`, digest: null });
    await stageState({ ...repository, workTree }, saved, scratch, patterns);
    for (const [number, { path: name }] of saved.files.entries()) {
      const target = pathBelow(files, name);
      await makeFolder(pathBelow(files, name.slice(0, Math.max(0, name.lastIndexOf("/")))), 0o777);
      await rename(stagedFile(scratch, number), target);
    }
    const outcome = await runAgentCommand(inScratch(command, files), context);
    if (!outcome.ok) return outcome;
    const env = { ...repository.env, GIT_WORK_TREE: files, GIT_INDEX_FILE: path.join(scratch, "index") };
    const names = await findStateFiles({ ...repository, workTree: files, env }, patterns);
    const removed = saved.files.map(({ path: name }) => name).filter((name) => !names.includes(name));
    const converted = await stageConverted(files, names, folder, repository.env);
    await writeStagedState(folder, { files: converted, removed, seen });
    return outcome;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Moves the converted files into the staging folder, a database as one file without what lies beside it. */
async function stageConverted(
  from: string,
  names: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<StagedStateFile[]> {
  const state = path.join(folder, "state");
  await makeFolder(state);
  const staged: StagedStateFile[] = [];
  for (const [number, name] of names.entries()) {
    const source = pathBelow(from, name);
    // A link, which would lead out of the copy, is no file either.
    if (!(await findStat(source))?.isFile()) throw noFile(name);
    const handle = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const [stat, database] = await Promise.all([handle.stat(), isSqlite(handle)]).finally(() => handle.close());
    const why = database ? await backUpSqlite(source, state, String(number), env) : undefined;
    if (why !== undefined) throw noDatabase(name, why);
    if (!database) await copyFile(source, stagedFile(folder, number));
    await syncFile(stagedFile(folder, number));
    staged.push({ path: name, executable: (stat.mode & 0o100) !== 0, kind: database ? "sqlite" : "file" });
  }
  await syncFolder(state);
  return staged;
}

const noFile = (name: string): KaiError =>
  new KaiError("E126", `lifecycle.migrate left ${readablePath(name)}, which is no file.`, {
    hint: "Nothing was changed. State is captured, saved and restored as files: let the command write one.",
  });

const noDatabase = (name: string, why: string): KaiError =>
  new KaiError("E126", `lifecycle.migrate left ${readablePath(name)}, which SQLite cannot read: ${why}.`, {
    hint: "Nothing was changed. Without `--keep-state` the state goes back that was captured, where there is some.",
  });
