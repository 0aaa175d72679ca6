import { decodeTime } from "ulid";
import { updateRefs } from "../git/ref-transaction.js";
import { runGit } from "../git/run-git.js";
import { sweepStore } from "../state/state-store.js";
import type { WritingSession } from "../version/writing-session.js";

const BACKUPS = "refs/kai/backup/";

/** Lets go of backups that were made longer ago than `retentionMs`; the operation's id tells when. */
export async function cleanUp({ agent, reader, lock, at }: WritingSession, retentionMs: number): Promise<void> {
  const { repository } = agent;
  const listed = await runGit(repository, ["for-each-ref", "--format=%(refname) %(objectname)", BACKUPS]);
  const old = listed
    .toString()
    .split("\n")
    .flatMap((line) => {
      const [ref = "", id = ""] = line.split(" ");
      const operation = /^[0-9A-HJKMNP-TV-Z]{26}/.exec(ref.slice(BACKUPS.length))?.[0];
      const expired = operation !== undefined && at.getTime() - decodeTime(operation) > retentionMs;
      return expired ? [{ ref, old: id, new: null }] : [];
    });
  if (old.length === 0) return;
  await updateRefs(repository, old, { inherit: [lock.descriptor] });
  await sweepStore(repository, reader);
}
