import { KaiError } from "../error.js";
import { parseTag } from "../git/tag-object.js";
import { kaiHome, listKeys } from "../trust/key-store.js";
import { verifySignature } from "../trust/signature.js";
import type { KnownVersion } from "./history.js";
import { type CommandTrust, whyNotTrusted } from "./trusted-commands.js";
import type { WritingSession } from "./writing-session.js";

/** Commands that are going to be run, and the version whose kai.yaml names them; undefined where no version does. */
export interface CommandUse {
  readonly version: KnownVersion | undefined;
  readonly commands: readonly string[];
}

/**
 * Why commands of the repository may not be run here; null where they may, or there are none. `key` is the one that the
 * operation is signed with, where that is known already: it is the user's own, wherever it comes from.
 */
export async function whyNotRun(
  session: WritingSession,
  uses: readonly CommandUse[],
  { trustCommands }: { readonly trustCommands: boolean },
  key = "",
): Promise<KaiError | null> {
  if (trustCommands) return null;
  for (const { version, commands } of uses) {
    if (commands.length === 0) continue;
    if (version === undefined) return notOfAVersion(commands);
    const refused = whyNotTrusted(await commandTrustOf(session, version, key));
    if (refused) return refused;
  }
  return null;
}

const notOfAVersion = (commands: readonly string[]): KaiError =>
  new KaiError("E112", "Commands of kai.yaml are not run: no version names them, so nobody has signed for them.", {
    hint: `\`--trust-commands\` runs them all the same: ${commands.map((each) => JSON.stringify(each)).join(", ")}.`,
  });

async function commandTrustOf(
  { root, caller, log }: WritingSession,
  version: KnownVersion,
  key: string,
): Promise<CommandTrust> {
  const stored = (await listKeys(kaiHome(caller.env))).filter(({ status }) => status !== "known");
  return {
    origin: root.origin,
    tag: version.tag,
    signer: await signerOf(version, log.keys),
    own: [key, ...stored.map(({ fingerprint }) => fingerprint)],
    policy: log.policy,
  };
}

async function signerOf(version: KnownVersion, keys: WritingSession["log"]["keys"]): Promise<string | null> {
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined || "problem" in tag || tag.name !== version.tag) return null;
  const signature = tag.signature ?? Buffer.alloc(0);
  const verdict = await verifySignature({ payload: tag.payload, signature, keys, strict: true });
  return verdict.outcome === "good" ? (verdict.key ?? null) : null;
}
