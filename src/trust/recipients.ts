import type { PublicKey } from "openpgp";
import { KaiError } from "../error.js";
import type { KeyRing } from "./key-ring.js";
import type { Policy } from "./policy.js";

/** Whose keys take a message: everybody of a policy. */
export interface Recipients {
  readonly keys: readonly PublicKey[];
}

/**
 * The keys to encrypt to, so that every principal of the policy can read it: of each, all that can be encrypted to at this time.
 * E110 where somebody has none.
 */
export async function findRecipients(policy: Policy, ring: KeyRing, at: Date): Promise<Recipients> {
  const keys: PublicKey[] = [];
  const without: string[] = [];
  for (const [name, principal] of Object.entries(policy.principals)) {
    const found = (await Promise.all(principal.keys.map((key) => encryptionKeys(ring, key, at)))).flat();
    if (found.length === 0) without.push(`${name} (${principal.keys.join(", ")})`);
    keys.push(...found);
  }
  if (without.length === 0) return { keys };
  throw new KaiError(
    "E110",
    `State cannot be encrypted: no key of ${without.join(" and ")} takes encrypted messages.`,
    {
      hint: "`gpg --quick-add-key FINGERPRINT cv25519 encr never` gives it a subkey for that, and `git kai-version key import` takes it in, on every machine that makes versions. Or set `encrypt: false`.",
    },
  );
}

/** The copies of a key that have a valid subkey for encryption, the first that does for each such subkey. */
async function encryptionKeys(ring: KeyRing, fingerprint: string, at: Date): Promise<PublicKey[]> {
  const openpgp = await import("openpgp");
  const found = new Map<string, PublicKey>();
  for (const copy of ring.find(fingerprint).flatMap(({ copies }) => copies)) {
    try {
      const key = await openpgp.readKey({ binaryKey: copy });
      const used = await key.getEncryptionKey(undefined, at);
      found.set(used.getFingerprint(), found.get(used.getFingerprint()) ?? key);
    } catch {
      // None, or none that is valid: another copy may have one.
    }
  }
  return [...found.values()];
}
