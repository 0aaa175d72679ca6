import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exportKey, generateKey } from "../../src/trust/key-store.js";
import { openSigner, type Signer } from "../../src/trust/signer.js";

export const ADA = "Ada Agent <ada@example.com>";

/** A time at which the tests' signatures are made; keys are older. */
export const AT = new Date("2025-11-14T22:13:20Z");

let secret: Promise<string> | undefined;

/** The armored secret key of Ada Agent, made once for each test file. */
export function armoredSecret(): Promise<string> {
  secret ??= makeSecret();
  return secret;
}

async function makeSecret(): Promise<string> {
  const home = mkdtempSync(path.join(tmpdir(), "kai-key-"));
  try {
    await generateKey({ home, name: "Ada Agent", email: "ada@example.com", at: new Date("2025-01-01T00:00:00Z") });
    return (await exportKey(home, undefined, { secret: true })).armored;
  } finally {
    rmSync(home, { recursive: true });
  }
}

export const testSigner = async (): Promise<Signer> => signerFrom(await armoredSecret());

/** A signer by a secret key; `at` is not looked at by keys that have no end. */
export const signerFrom = (key: string | Buffer): Promise<Signer> =>
  openSigner({ home: "/nowhere", env: { KAI_SIGNING_KEY: key.toString() } });
