import { KaiError } from "../error.js";
import { mayDo } from "../trust/policy.js";
import { compositionJudge, mayCompose } from "./composed-version.js";
import type { KnownVersion } from "./history.js";
import { type Proving, whyNotProven } from "./prove-version.js";

/**
 * Proves a version before it is put in force: the log made this very tag, a releaser signed it for this repository (or an
 * operator, and it is composed of versions that releasers signed), and its files give its hash. E101.
 */
export async function validateVersion(proving: Proving, version: KnownVersion): Promise<void> {
  const { policy } = proving.log;
  const why = await whyNotProven(proving, version, async (key) => {
    if (mayDo(policy, key, "releaser")) return undefined;
    if (!mayCompose(policy, key, version)) return "its signer is no releaser";
    const notComposed = await compositionJudge(proving)(version);
    return notComposed && `its signer is no releaser, and ${notComposed}`;
  });
  if (why === undefined) return;
  throw new KaiError("E101", `${version.tag} is corrupted: ${why}.`, {
    hint: "`git kai-version verify --deep` shows all of it; choose another version.",
  });
}
