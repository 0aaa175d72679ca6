import { KaiError } from "../error.js";
import { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog } from "../trust/trusted-log.js";
import { whyNotRun } from "../version/command-trust.js";
import { readHistoryOf } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { findSecrets, resolveSecrets, type SecretContext } from "./resolve-secrets.js";
import type { SnapshotRecord } from "./snapshot-record.js";

/** The values of a snapshot's secrets. Those that its version's kai.yaml names are given only where its signer is trusted (E112). */
export const secretsFor = (
  repository: Repository,
  caller: Caller,
  record: SnapshotRecord,
): Promise<Record<string, string>> => resolveSecrets(record.settings.secrets, contextOf(repository, caller, record));

/** Those of them that can be had now without anybody being asked. */
export const knownSecrets = (repository: Repository, caller: Caller, record: SnapshotRecord): Promise<string[]> =>
  findSecrets(record.settings.secrets, contextOf(repository, caller, record));

const contextOf = (repository: Repository, caller: Caller, { settings, tag }: SnapshotRecord): SecretContext => ({
  env: caller.env,
  cwd: repository.workTree ?? caller.cwd,
  requireTrust: () =>
    requireTrusted(
      repository,
      caller,
      tag,
      Object.values(settings.secrets).map(({ from }) => from),
    ),
});

/** A version could name any file or variable of this machine, and send it to a host that it allows itself. */
async function requireTrusted(
  repository: Repository,
  caller: Caller,
  tag: string,
  sources: readonly string[],
): Promise<void> {
  const root = await findTrustRoot(kaiFolderOf(repository).trust);
  const reader = new ObjectReader(repository);
  try {
    const log = root && (await readTrustedLog(repository, reader, root));
    const { agent, history } = await readHistoryOf(repository, caller.onConfigGone);
    const version = history.versions.find((each) => each.tag === tag);
    const uses = [{ version, commands: sources }];
    const ground = root && log ? { root, log, agent, reader, history, caller } : undefined;
    const why = ground && (await whyNotRun(ground, uses, { trustCommands: false }));
    if (why === null) return;
    throw new KaiError(
      "E112",
      `The secrets that the kai.yaml of ${tag} names are not given: ${why?.message ?? "this clone has no log that says whom to trust"}`,
      {
        hint: "Say yourself where each comes from: `--secret NAME=env:VARIABLE`.",
      },
    );
  } finally {
    reader.close();
  }
}
