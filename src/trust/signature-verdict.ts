export type SignatureOutcome =
  | "good"
  | "unsigned"
  | "unknown-key"
  | "bad"
  | "expired-key-valid-then"
  | "expired"
  | "revoked-key"
  | "weak"
  | "unsupported-format";

/** What is known of a signature: a value, never an exception. */
export interface SignatureVerdict {
  outcome: SignatureOutcome;
  format: "openpgp" | "ssh" | "x509" | "none" | "unknown";
  /** The primary key's fingerprint in UPPER hex; of an unknown key what the signature names, fingerprint or key id. */
  key?: string;
  /** The key's user id. */
  signer?: string;
  signedAt?: Date;
  /** Why it is not good; no full stop. */
  reason?: string;
  /** Of a verdict that time alone will change: until when it holds. */
  validUntil?: Date;
}
