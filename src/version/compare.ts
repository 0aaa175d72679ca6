import { createClassifier } from "../agent/component.js";
import { diffFiles, type FileDiff, type FileEntry } from "../change/file-diff.js";
import { listTree } from "../git/list-tree.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { readablePath } from "../system/path-bytes.js";
import type { OnConfigGone } from "./agent-repository.js";
import { readTexts } from "./compare-blobs.js";
import {
  type ComparedConfiguration,
  compareConfiguration,
  configurationFiles,
  LARGEST_CONFIGURATION,
} from "./compare-configuration.js";
import {
  type ComparedDependencies,
  compareDependencies,
  dependencyFiles,
  LARGEST_LOCK_FILE,
} from "./compare-dependencies.js";
import { type ComparedSide, findSide } from "./compare-side.js";
import { type ComparedState, compareState } from "./compare-state.js";
import { type Compatibility, judgeCompatibility, judgeMigration, judgeRollback } from "./compare-verdict.js";
import { readCommits } from "./read-commits.js";
import { readAgentHistory } from "./reading.js";

export interface CompareRequest {
  /** A version, its tag, `current` or `HEAD`. */
  readonly from: string;
  readonly to: string;
  /** Give git's unified diff as well. */
  readonly patch: boolean;
}

export interface Comparison {
  readonly agent: string;
  /** A version without prefix, or `HEAD`. */
  readonly from: string;
  readonly to: string;
  readonly commits: { readonly from: string; readonly to: string };
  readonly hashes: { readonly from: string | null; readonly to: string | null };
  /** Files by path, each with its component, by the globs of `to`. */
  readonly artifacts: FileDiff;
  readonly dependencies: ComparedDependencies;
  readonly configuration: readonly ComparedConfiguration[];
  readonly state: ComparedState;
  readonly compatibility: Compatibility;
  readonly migrationRequired: boolean;
  /** From `to` back to `from`. */
  readonly rollbackPossible: boolean;
  readonly reasons: { readonly migration: readonly string[]; readonly rollback: readonly string[] };
  /** What was not looked at, and why. */
  readonly notes: readonly string[];
  readonly patch?: string;
}

/**
 * Compares two versions of the agent around `cwd` in everything that is known of them, without changing or verifying
 * anything; the number of git processes is always the same. E101 where there is no such version.
 */
export async function compareVersions(
  cwd: string,
  env: NodeJS.ProcessEnv,
  request: CompareRequest,
  onConfigGone?: OnConfigGone,
): Promise<Comparison> {
  const { agent, history } = await readAgentHistory(cwd, env, onConfigGone);
  const { repository } = agent;
  const reader = new ObjectReader(repository);
  try {
    const [from, to] = await Promise.all([
      findSide(reader, history, request.from),
      findSide(reader, history, request.to),
    ]);
    const [before, after, commits, undone, patch] = await Promise.all([
      readFiles(repository, from),
      readFiles(repository, to),
      readCommits(repository, from.commit, to.commit),
      readCommits(repository, to.commit, from.commit),
      request.patch ? readPatch(repository, from.commit, to.commit) : undefined,
    ]);
    const config = to.config ?? agent.config;
    const artifacts = diffFiles(before, after, createClassifier(config.version_management.artifacts));
    const compared = await compareContents(repository, reader, artifacts, before, after);
    const compatibility = judgeCompatibility(from, to, commits, undone, { shallow: repository.shallow });
    const migration = judgeMigration(from, to, compatibility.findings);
    const rollback = judgeRollback(from, to);
    return {
      agent: agent.config.agent_id,
      from: from.name,
      to: to.name,
      commits: { from: from.commit, to: to.commit },
      hashes: { from: from.version?.hash ?? null, to: to.version?.hash ?? null },
      artifacts,
      ...compared,
      state: await compareState(reader, from, to),
      compatibility,
      migrationRequired: migration.answer,
      rollbackPossible: rollback.answer,
      reasons: { migration: migration.reasons, rollback: rollback.reasons },
      notes: notesOf(repository, to),
      ...(patch !== undefined && { patch }),
    };
  } finally {
    reader.close();
  }
}

async function readFiles(repository: Repository, side: ComparedSide): Promise<FileEntry[]> {
  const files = await listTree(repository, side.commit);
  return files.map(({ path, mode, id }) => ({ path: readablePath(path), mode, oid: id }));
}

/** Looks into configuration and lock files; each blob is read once, and only as far as it may be. */
async function compareContents(
  repository: Repository,
  reader: ObjectReader,
  artifacts: FileDiff,
  before: readonly FileEntry[],
  after: readonly FileEntry[],
): Promise<Pick<Comparison, "configuration" | "dependencies">> {
  const configuration = configurationFiles(artifacts);
  const locks = dependencyFiles(before, after);
  const wanted = new Map<string, number>();
  for (const { from, to } of configuration) {
    for (const side of [from, to]) if (side) wanted.set(side.oid, LARGEST_CONFIGURATION);
  }
  for (const { oid } of [...locks.before, ...locks.after]) wanted.set(oid, LARGEST_LOCK_FILE);
  const texts = await readTexts(repository, reader, wanted);
  return {
    configuration: compareConfiguration(configuration, texts),
    dependencies: compareDependencies(locks, texts),
  };
}

/** A unified diff by git alone: no external diff, no text conversion, and large files count as binary. */
async function readPatch(repository: Repository, from: string, to: string): Promise<string> {
  const out = await runGit(
    repository,
    ["diff-tree", "-r", "-p", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color", from, to, "--"],
    { config: ["core.bigFileThreshold=2m", "core.attributesFile=/dev/null"] },
  );
  return out.toString();
}

function notesOf(repository: Repository, to: ComparedSide): string[] {
  const notes: string[] = [];
  if (repository.shallow)
    notes.push(
      "This clone is shallow: commits may be missing from the judgement; `git fetch --unshallow` brings them.",
    );
  if (to.config === null) {
    notes.push(`${to.name} has no kai.yaml that can be read: its files are sorted by that of the working tree.`);
  }
  return notes;
}
