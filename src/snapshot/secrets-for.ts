import { KaiError } from "../error.js";
import type { Repository } from "../git/repository.js";
import { whyNotFollowed } from "../version/command-trust.js";
import { readHistoryOf } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { findSecrets, resolveSecrets, type SecretContext } from "./resolve-secrets.js";
import { savesRef } from "./saves.js";
import type { SnapshotRecord } from "./snapshot-record.js";
import { NO_LOG, withTrustGround } from "./with-trust-ground.js";

/** The values of a snapshot's secrets. Those that its version's kai.yaml names are given only where its signer is trusted (E112). */
export const secretsFor = (
  repository: Repository,
  caller: Caller,
  record: SnapshotRecord,
): Promise<Record<string, string>> => resolveSecrets(record.settings.secrets, contextOf(repository, caller, record));

/** Those of them that can be had now without anybody being asked. */
export const knownSecrets = (repository: Repository, caller: Caller, record: SnapshotRecord): Promise<string[]> =>
  findSecrets(record.settings.secrets, contextOf(repository, caller, record));

const contextOf = (repository: Repository, caller: Caller, record: SnapshotRecord): SecretContext => ({
  env: caller.env,
  cwd: repository.workTree ?? caller.cwd,
  requireTrust: () => requireTrusted(repository, caller, record),
});

/** A version could name any file or variable of this machine, and send it to a host that it allows itself. */
async function requireTrusted(repository: Repository, caller: Caller, record: SnapshotRecord): Promise<void> {
  const { tag, throwAway } = record;
  const known = await readHistoryOf(repository, caller.onConfigGone);
  const version = known.history.versions.find((each) => each.tag === tag);
  const why = await withTrustGround(repository, caller, known, async (ground) => {
    if (ground === undefined) return NO_LOG;
    return version === undefined ? "it is no version, so nobody has signed for it" : whyNotFollowed(ground, version);
  });
  if (why === null) return;
  throw new KaiError("E112", `The secrets that the kai.yaml of ${tag} names are not given: ${why}.`, {
    // A snapshot that is kept has the secrets that it was made with.
    hint: throwAway
      ? "Say yourself where each comes from: `--secret NAME=env:VARIABLE`."
      : `Make another one and say yourself where each comes from: \`git kai-version snapshot create ${begunWith(record)} --secret NAME=env:VARIABLE\`.`,
  });
}

/** What `snapshot create` was given for the files. */
function begunWith({ tag, base, settings }: SnapshotRecord): string {
  if (base === null) return tag;
  return settings.type === "layered" ? `${tag} --base ${base}` : savesRef(base);
}
