import { KaiError } from "../error.js";
import { parseTag } from "../git/tag-object.js";
import { kaiHome, listKeys } from "../trust/key-store.js";
import { mayDo } from "../trust/policy.js";
import { verifySignature } from "../trust/signature.js";
import { compositionJudge, mayCompose } from "./composed-version.js";
import type { KnownVersion } from "./history.js";
import { type CommandTrust, reasonAgainst, whyNotTrusted } from "./trusted-commands.js";
import { provingOf, type WritingSession } from "./writing-session.js";

/** What says whose commands are trusted: the pin, the policy, the user's keys. */
export type TrustGround = Pick<WritingSession, "root" | "log" | "agent" | "reader" | "history"> & {
  readonly caller: Pick<WritingSession["caller"], "env">;
};

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
  session: TrustGround,
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

/** Why what a version's kai.yaml says of this machine is not followed, by the same trust, as a part of a sentence; null where it is. */
export const whyNotFollowed = async (session: TrustGround, version: KnownVersion): Promise<string | null> =>
  reasonAgainst(await commandTrustOf(session, version, ""));

const notOfAVersion = (commands: readonly string[]): KaiError =>
  new KaiError("E112", "Commands of kai.yaml are not run: no version names them, so nobody has signed for them.", {
    hint: `\`--trust-commands\` runs them all the same: ${commands.map((each) => JSON.stringify(each)).join(", ")}.`,
  });

async function commandTrustOf(session: TrustGround, version: KnownVersion, key: string): Promise<CommandTrust> {
  const { root, caller, log } = session;
  const stored = (await listKeys(kaiHome(caller.env))).filter(({ status }) => status !== "known");
  return {
    origin: root.origin,
    tag: version.tag,
    signer: await signerOf(session, version),
    own: [key, ...stored.map(({ fingerprint }) => fingerprint)],
    policy: log.policy,
  };
}

/** Who signed it and may; an operator only what is composed of versions that releasers signed, or nobody stood for a line of it. */
async function signerOf(session: TrustGround, version: KnownVersion): Promise<string | null> {
  const { keys, policy } = session.log;
  const tag = version.latin1 === undefined ? undefined : parseTag(Buffer.from(version.latin1, "latin1"));
  if (tag === undefined || "problem" in tag || tag.name !== version.tag) return null;
  const signature = tag.signature ?? Buffer.alloc(0);
  const verdict = await verifySignature({ payload: tag.payload, signature, keys, strict: true });
  if (verdict.outcome !== "good" || verdict.key === undefined) return null;
  if (mayDo(policy, verdict.key, "releaser") || !mayDo(policy, verdict.key, "operator")) return verdict.key;
  if (!mayCompose(policy, verdict.key, version)) return null;
  return (await compositionJudge(provingOf(session))(version)) === undefined ? verdict.key : null;
}
