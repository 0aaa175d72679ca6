import { KaiError } from "../error.js";
import { parseTag } from "../git/tag-object.js";
import { verifySignature } from "../trust/signature.js";
import type { TrustedLog } from "../trust/trusted-log.js";
import type { KnownVersion } from "../version/history.js";

/**
 * Refuses (E101) a tag of another tool that is proven wrong: its signature does not match it, or it says another name than
 * its own. What is merely proven by nobody is for the caller to take or leave.
 */
export async function requireNotDisproven({ keys }: TrustedLog, version: KnownVersion): Promise<void> {
  // A lightweight one claims nothing.
  if (version.latin1 === undefined) return;
  const tag = parseTag(Buffer.from(version.latin1, "latin1"));
  if ("problem" in tag) {
    if (version.latin1.includes("\n-----BEGIN ")) throw disproven(version, tag.problem);
    return;
  }
  if (tag.name !== version.tag) throw disproven(version, `it says that it is ${tag.name}`);
  const { payload, signature = Buffer.alloc(0) } = tag;
  const verdict = await verifySignature({ payload, signature, keys, strict: false });
  if (verdict.outcome === "bad") throw disproven(version, verdict.reason ?? "its signature is bad");
}

const disproven = (version: KnownVersion, why: string): KaiError =>
  new KaiError("E101", `${version.tag} was tampered with: ${why}.`, {
    hint: "It was made by another tool, and somebody changed it since: `git cat-file tag` shows it. Choose another version.",
  });
