import { stat } from "node:fs/promises";
import path from "node:path";
import { KaiError } from "../error.js";
import { readNote } from "../git/notes.js";
import { NOTES_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { makeFolderDurably } from "../system/durable-file.js";
import { findStat } from "../system/path-bytes.js";
import type { DeploymentRoot } from "../version/deployment-root.js";
import { DigestCache } from "../version/digest-cache.js";
import { findRecord } from "../version/find-record.js";
import { hashTree } from "../version/hash-tree.js";
import type { KnownVersion } from "../version/history.js";
import type { VersionRecord } from "../version/record.js";
import type { WritingSession } from "../version/writing-session.js";
import { changedDeployment } from "./changed-deployment.js";
import { readDeployedState } from "./deployed-state.js";
import { checkDeployment, type Deployment, readDeployment } from "./deployment.js";
import { makePart, removePart, sweepParts } from "./deployment-parts.js";
import { requireSameDeployment } from "./require-same-deployment.js";
import { closeFolders, writeDeployment } from "./write-deployment.js";

export interface EnsuredDeployment {
  readonly deployment: Deployment;
  /** False where the folder was there already. */
  readonly written: boolean;
}

/** The folder of a version below `root`; it need not be there. */
export const folderOf = (root: DeploymentRoot, version: KnownVersion): string =>
  path.join(root.versions, `v${version.number.text}`);

/**
 * Makes sure that a version's folder is there and whole. One that is there is checked, file by file, and used again; E102 where it
 * was changed. The version itself is the caller's to validate.
 */
export async function ensureDeployment(
  session: WritingSession,
  root: DeploymentRoot,
  version: KnownVersion,
  install: ((folder: string) => Promise<void>) | null,
): Promise<EnsuredDeployment> {
  const folder = folderOf(root, version);
  if (await findStat(folder)) {
    const deployment = await requireWhole(session, folder, version);
    // One that was cut short just after it came into place.
    if (((await stat(folder)).mode & 0o222) !== 0) await closeFolders(folder);
    return { deployment, written: false };
  }
  const { repository } = session.agent;
  session.caller.progress(`Writing ${folder}`);
  // What is deployed is read by others, too.
  await makeFolderDurably(root.versions, 0o777);
  await sweepParts(root.versions);
  const part = await makePart(root.versions, install === null ? kaiFolderOf(repository).staging : null, session.id);
  try {
    const cache = await DigestCache.open(kaiFolderOf(repository).cache, repository.objectFormat);
    const { lines } = await hashTree(repository, version.commit, cache);
    const record = await readRecord(session, version);
    const state = await readDeployedState(repository, session.reader, session.history, version);
    const content = { repository, operation: session.id, version, record, lines, state, install };
    const deployment = await writeDeployment(content, part, folder, [session.lock.descriptor]);
    return { deployment, written: true };
  } finally {
    await removePart(part);
  }
}

async function requireWhole({ history }: WritingSession, folder: string, version: KnownVersion): Promise<Deployment> {
  const deployment = readDeployment(folder);
  requireSameDeployment(deployment, version, history);
  const problems = checkDeployment(deployment);
  if (problems.length > 0) throw changedDeployment(folder, problems);
  return deployment;
}

/** The version's record, from its note or from the log. E101 where neither has it. */
async function readRecord({ reader, history }: WritingSession, version: KnownVersion): Promise<VersionRecord> {
  const digest = version.record ?? "";
  const { text } = await readNote(reader, NOTES_REF, version.commit);
  const noted = findRecord(text, digest);
  if (noted) return noted;
  const made = history.findEntry((entry) => entry.changes.some((change) => change.new === version.tagId));
  const logged = made && (await reader.find(`${made.commit}:record.json`));
  const record = logged && findRecord(logged.content.toString(), digest);
  if (record) return record;
  throw new KaiError("E101", `${version.tag} is corrupted: its record is neither in its note nor in the log.`, {
    hint: "`git kai-version verify` shows all of it; choose another version.",
  });
}
