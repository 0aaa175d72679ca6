import { expect, test } from "vitest";
import { foundingPolicy, type Policy } from "../../src/trust/policy.js";
import { type CommandTrust, whyNotTrusted } from "../../src/version/trusted-commands.js";

const ADA = "A".repeat(40);
const EVE = "E".repeat(40);
const TED = "7".repeat(40);

const POLICY: Policy = {
  ...foundingPolicy("Ada", ADA),
  principals: {
    Ada: { keys: [ADA], roles: ["owner", "releaser"] },
    Ted: { keys: [TED], roles: ["tester"] },
  },
};

const trust = (more: Partial<CommandTrust>): CommandTrust => ({
  origin: "first-use",
  tag: "v1.2.0",
  signer: ADA,
  own: [],
  policy: POLICY,
  ...more,
});

test("commands are run under a root that the user founded or confirmed, and where the user signed the version", () => {
  expect(whyNotTrusted(trust({ origin: "founded" }))).toBeNull();
  expect(whyNotTrusted(trust({ origin: "confirmed" }))).toBeNull();
  expect(whyNotTrusted(trust({ own: [EVE, ADA] }))).toBeNull();
  expect(whyNotTrusted(trust({}))).not.toBeNull();
});

test("that somebody's policy names the user's key proves nothing", () => {
  const policy: Policy = {
    ...POLICY,
    principals: { Eve: { keys: [EVE], roles: ["owner", "releaser"] }, Ada: { keys: [ADA], roles: ["operator"] } },
  };
  expect(whyNotTrusted(trust({ policy, signer: EVE, own: [ADA] }))).not.toBeNull();
});

test("whoever signed must be one who may put a version in force", () => {
  for (const signer of [null, EVE, TED]) expect(whyNotTrusted(trust({ origin: "founded", signer }))).not.toBeNull();
});

test("the refusal says why and what to do", () => {
  expect(whyNotTrusted(trust({}))).toMatchObject({
    code: "E112",
    message:
      "The commands of v1.2.0 are not run: this clone took its trust root as it came, and nobody has confirmed it.",
    hint: "Read them with `git show v1.2.0:kai.yaml`; `--trust-commands` runs them all the same.",
  });
});
