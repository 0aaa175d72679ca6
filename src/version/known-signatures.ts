import type { ObjectReader } from "../git/object-reader.js";
import { LOG_REF } from "../operation/entry.js";
import { kaiFolderOf } from "../operation/kai-folder.js";
import { createKeyRing } from "../trust/key-ring.js";
import { kaiHome, readKnownKeys } from "../trust/key-store.js";
import { findTrustRoot } from "../trust/trust-root.js";
import { readTrustedLog, ringDigest } from "../trust/trusted-log.js";
import { openVerificationCache } from "../trust/verification-cache.js";
import type { AgentHistory } from "./reading.js";

/**
 * What earlier verifications under today's keys and policy found, by tag id; `unchecked` for the rest. Verifies no
 * version itself.
 */
export async function knownSignatures(
  { agent, hasLog }: AgentHistory,
  reader: ObjectReader,
  env: NodeJS.ProcessEnv,
): Promise<(tagId: string) => string> {
  const unchecked = () => "unchecked";
  const folder = kaiFolderOf(agent.repository);
  const root = hasLog ? await findTrustRoot(folder.trust) : undefined;
  if (root === undefined || (await reader.find(LOG_REF))?.id !== root.seen) return unchecked;
  const [log, userKeys] = await Promise.all([
    readTrustedLog(agent.repository, reader, root),
    readKnownKeys(kaiHome(env)),
  ]);
  const keys = createKeyRing([
    ...[...log.files].filter(([name]) => name.startsWith("keys/")).map(([name, bytes]) => ({ name, bytes })),
    ...userKeys,
  ]);
  const cache = openVerificationCache(folder.cache, ringDigest(log.policy, keys));
  return (tagId) => cache.get(tagId)?.outcome ?? "unchecked";
}
