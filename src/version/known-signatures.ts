import type { ObjectReader } from "../git/object-reader.js";
import type { Repository } from "../git/repository.js";
import { LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { createKeyRing } from "../trust/key-ring.js";
import { kaiHome, readKnownKeys } from "../trust/key-store.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog, ringDigest } from "../trust/trusted-log.js";
import { openVerificationCache } from "../trust/verification-cache.js";
import type { KnownVersion } from "./history.js";

/**
 * What earlier verifications under today's keys and policy found of a version's tag; `unchecked` for the rest, and for a
 * good tag object that stands under another name than it says. Verifies no version itself.
 */
export async function knownSignatures(
  repository: Repository,
  reader: ObjectReader,
  env: NodeJS.ProcessEnv,
): Promise<(version: KnownVersion) => string> {
  const unchecked = () => "unchecked";
  const folder = kaiFolderOf(repository);
  const root = await findTrustRoot(folder.trust);
  if (root === undefined || (await reader.find(LOG_REF))?.id !== root.seen) return unchecked;
  const [log, userKeys] = await Promise.all([readTrustedLog(repository, reader, root), readKnownKeys(kaiHome(env))]);
  const keys = createKeyRing([
    ...[...log.files].filter(([name]) => name.startsWith("keys/")).map(([name, bytes]) => ({ name, bytes })),
    ...userKeys,
  ]);
  const cache = openVerificationCache(folder.cache, ringDigest(log.policy, keys));
  return (version) => {
    const outcome = cache.outcome(version.tagId) ?? "unchecked";
    return outcome === "good" && version.named !== version.tag ? "unchecked" : outcome;
  };
}
