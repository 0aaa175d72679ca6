import { builtInIsolation } from "../agent/config.js";
import { KaiError } from "../error.js";
import type { AgentRepository } from "../version/agent-repository.js";
import { readHistoryOf } from "../version/reading.js";
import type { Caller } from "../version/writing-session.js";
import { openedTempDir } from "./opened-by-config.js";
import { formatOpenings } from "./opening.js";
import { whyRefused } from "./require-trusted-config.js";
import { listForsaken } from "./sandbox/forsaken-folders.js";
import { ownTempDir } from "./sandbox/sandbox-folder.js";
import { tempDirOf } from "./sandbox/temp-dir-of.js";
import { NO_LOG, withTrustGround } from "./with-trust-ground.js";

/** Where folders of sandboxes are made and cleared away when that is for no version. */
export interface TrustedTempDir {
  readonly tempDir: string;
  /** Why that is the one built in and not the agent's, a part of a sentence; null where it is the agent's. */
  readonly instead: string | null;
}

/**
 * The `temp_dir` of the agent's kai.yaml as it is now, where that is built in or the version in force has it and its signer is trusted
 * as for its commands; else the one built in. E103 where Podman could not mount what is in it.
 */
export async function trustedTempDir(caller: Pick<Caller, "env">, agent: AgentRepository): Promise<TrustedTempDir> {
  const { repository, config } = agent;
  const opened = openedTempDir(config.snapshot_isolation);
  const why = opened.length === 0 ? null : await whyNotTrusted(caller, agent);
  if (why === null) return { tempDir: await ownTempDir(tempDirOf(config, repository)), instead: null };
  return {
    tempDir: await ownTempDir(builtInIsolation().temp_dir),
    instead: `kai.yaml opens the sandbox, and that is not done: ${why} (${formatOpenings(opened)})`,
  };
}

/** A folder in which somebody's sandboxes were left, and that is not cleared up. */
export interface PassedOver {
  readonly folder: string;
  /** A part of a sentence. */
  readonly why: string;
}

/** The agent's own `temp_dir` where that is not the one that is used, and something is to be cleared up there; null elsewhere. */
export async function findPassedOver(
  { repository, config }: AgentRepository,
  { tempDir, instead }: TrustedTempDir,
  now: Date,
): Promise<PassedOver | null> {
  const folder = await ownTempDir(tempDirOf(config, repository));
  if (instead === null || folder === tempDir) return null;
  return (await listForsaken(folder, now)).length === 0 ? null : { folder, why: instead };
}

/** All that it can be, found without asking whom to trust. */
export const possibleTempDirs = ({ repository, config }: AgentRepository): Promise<string[]> =>
  Promise.all([tempDirOf(config, repository), builtInIsolation().temp_dir].map(ownTempDir));

async function whyNotTrusted(
  caller: Pick<Caller, "env">,
  { repository, config }: AgentRepository,
): Promise<string | null> {
  try {
    const known = await readHistoryOf(repository, () => {});
    const opened = openedTempDir(config.snapshot_isolation);
    return await withTrustGround(repository, caller, known, async (trust) =>
      trust === undefined
        ? NO_LOG
        : ((await whyRefused(trust, { own: undefined, history: known.history }, opened, openedTempDir))?.why ?? null),
    );
  } catch (cause) {
    // A log that does not hold trusts nobody; who works with it is told more.
    if (cause instanceof KaiError) return cause.message;
    throw cause;
  }
}
