import { KaiError } from "../error.js";
import { parseTag } from "../git/tag-object.js";
import { kaiHome, listKeys } from "../trust/key-store.js";
import { verifySignature } from "../trust/signature.js";
import type { KnownVersion } from "../version/history.js";
import { requireTrustedCommands } from "../version/trusted-commands.js";
import type { WritingSession } from "../version/writing-session.js";
import type { RollbackRequest } from "./request.js";

/** Commands that are going to be run, and the version whose kai.yaml names them; undefined where no version does. */
export interface CommandUse {
  readonly version: KnownVersion | undefined;
  readonly commands: readonly string[];
}

/** Why commands of the repository may not be run here; null where they may, or there are none. */
export async function whyNotRun(
  session: WritingSession,
  uses: readonly CommandUse[],
  { trustCommands }: Pick<RollbackRequest, "trustCommands">,
  own: readonly string[] = [],
): Promise<KaiError | null> {
  const wanted = uses.filter(({ commands }) => commands.length > 0);
  if (wanted.length === 0 || trustCommands) return null;
  const { root, log, caller } = session;
  const stored = (await listKeys(kaiHome(caller.env)))
    .filter(({ status }) => status !== "known")
    .map((key) => key.fingerprint);
  try {
    for (const { version } of wanted) {
      const signer = version === undefined ? null : await signerOf(session, version);
      const tag = version?.tag ?? "a commit that is no version";
      const trust = { origin: root.origin, tag, signer, own: [...own, ...stored], policy: log.policy, flag: false };
      requireTrustedCommands(trust);
    }
    return null;
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E112") return cause;
    throw cause;
  }
}

/** The key whose signature on the version's tag is good; null where none is. */
async function signerOf({ log }: WritingSession, { latin1, tag: name }: KnownVersion): Promise<string | null> {
  const tag = latin1 === undefined ? undefined : parseTag(Buffer.from(latin1, "latin1"));
  if (tag === undefined || "problem" in tag || tag.name !== name) return null;
  const { payload, signature = Buffer.alloc(0) } = tag;
  const verdict = await verifySignature({ payload, signature, keys: log.keys, strict: true });
  return verdict.outcome === "good" ? (verdict.key ?? null) : null;
}
