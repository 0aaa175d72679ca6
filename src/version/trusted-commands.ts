import { KaiError } from "../error.js";
import { mayDo, type Policy } from "../trust/policy.js";
import type { TrustRoot } from "../trust/trust-root.js";

/** What decides whether the commands that a version's kai.yaml names may be run on this machine. */
export interface CommandTrust {
  /** Where this clone's trust root comes from. */
  readonly origin: TrustRoot["origin"];
  /** The version that names them, as its tag is written. */
  readonly tag: string;
  /** The key that signed it, as verified; null where nobody's signature was proven. */
  readonly signer: string | null;
  /** The user's own keys, by fingerprint: those whose secret part is here. */
  readonly own: readonly string[];
  readonly policy: Policy;
}

/**
 * Why they may not (E112); null where they may: a releaser or an operator of the policy signed the version, under a trust root
 * that the user founded or confirmed, or with the user's own key. A root pinned on first use verifies, it never executes:
 * whoever made it chose its policy, and a policy may name anybody's key, so that holding one of its keys proves nothing; a
 * signature does.
 */
export function whyNotTrusted(trust: CommandTrust): KaiError | null {
  const reason = reasonAgainst(trust);
  if (reason === null) return null;
  return new KaiError("E112", `The commands of ${trust.tag} are not run: ${reason}.`, {
    hint: `Read them with \`git show ${trust.tag}:kai.yaml\`; \`--trust-commands\` runs them all the same.`,
  });
}

/** The same as a part of a sentence. */
export function reasonAgainst({ origin, signer, own, policy }: CommandTrust): string | null {
  if (signer === null) return "nothing proves who signed it";
  if (!(mayDo(policy, signer, "releaser") || mayDo(policy, signer, "operator"))) {
    return "its signer is neither releaser nor operator of the policy";
  }
  if (origin !== "first-use" || own.includes(signer)) return null;
  return "this clone took its trust root as it came, and nobody has confirmed it";
}
