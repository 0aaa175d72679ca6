import { parseTag } from "../git/tag-object.js";
import { kaiHome, listKeys } from "../trust/key-store.js";
import { verifySignature } from "../trust/signature.js";
import type { KnownVersion } from "../version/history.js";
import type { CommandTrust } from "../version/trusted-commands.js";
import type { WritingSession } from "../version/writing-session.js";

/**
 * What decides whether the commands of this version may be run here. `key` is the one that the operation is signed with: it is
 * the user's own, wherever it comes from; `flag` is `--trust-commands`.
 */
export async function commandTrustOf(
  { root, caller, log }: WritingSession,
  version: KnownVersion,
  { key, flag }: { readonly key: string; readonly flag: boolean },
): Promise<CommandTrust> {
  const stored = (await listKeys(kaiHome(caller.env))).filter(({ status }) => status !== "known");
  return {
    origin: root.origin,
    tag: version.tag,
    signer: await signerOf(version, log.keys),
    own: [key, ...stored.map(({ fingerprint }) => fingerprint)],
    policy: log.policy,
    flag,
  };
}

async function signerOf(version: KnownVersion, keys: WritingSession["log"]["keys"]): Promise<string | null> {
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined || "problem" in tag || tag.name !== version.tag) return null;
  const signature = tag.signature ?? Buffer.alloc(0);
  const verdict = await verifySignature({ payload: tag.payload, signature, keys, strict: true });
  return verdict.outcome === "good" ? (verdict.key ?? null) : null;
}
