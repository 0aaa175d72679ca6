import { readdir } from "node:fs/promises";
import { decodeTime } from "ulid";
import { updateRefs } from "../git/ref-transaction.js";
import type { Repository } from "../git/repository.js";
import { runGit } from "../git/run-git.js";
import { ENTRY_PATTERNS } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { keptFolder } from "../operation/kept-outputs.js";
import { sweepStore } from "../state/state-store.js";
import { discardFolder } from "../system/discard-folder.js";
import type { WritingSession } from "../version/writing-session.js";

const BACKUPS = "refs/kai/backup/";
const STATE = /-state$/;
const OPERATION = new RegExp(`^${ENTRY_PATTERNS.operation}$`);

/** How long backups are kept. */
export interface Retention {
  /** Milliseconds. */
  readonly retentionMs: number;
  /** Whether saved state goes as soon as a later operation has saved some. */
  readonly untilNext: boolean;
}

/** Lets go of backups that are older than that; the operation's id tells when they were made. */
export async function cleanUp(session: WritingSession, { retentionMs, untilNext }: Retention): Promise<void> {
  const { agent, at, id } = session;
  const isOld = (operation: string) => at.getTime() - decodeTime(operation) > retentionMs;
  await cleanUpReplaced(agent.repository, isOld);
  await cleanUpRefs(session, (name) => {
    const operation = name.replace(STATE, "");
    return OPERATION.test(operation) && (isOld(operation) || (untilNext && STATE.test(name) && operation !== id));
  });
}

async function cleanUpReplaced(repository: Repository, isOld: (operation: string) => boolean): Promise<void> {
  const { replaced, trash } = kaiFolderOf(repository);
  for (const name of await readdir(replaced).catch(() => [])) {
    if (OPERATION.test(name) && isOld(name)) await discardFolder(keptFolder(replaced, name), trash);
  }
}

async function cleanUpRefs({ agent, reader, lock }: WritingSession, goes: (name: string) => boolean): Promise<void> {
  const { repository } = agent;
  const listed = await runGit(repository, ["for-each-ref", "--format=%(refname) %(objectname)", BACKUPS]);
  const old = listed
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [ref = "", id = ""] = line.split(" ");
      return goes(ref.slice(BACKUPS.length)) ? [{ ref, old: id, new: null }] : [];
    });
  if (old.length === 0) return;
  await updateRefs(repository, old, { inherit: [lock.descriptor] });
  await sweepStore(repository, reader);
}
