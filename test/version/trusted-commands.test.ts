import { expect, test } from "vitest";
import { foundingPolicy, type Policy } from "../../src/trust/policy.js";
import { type CommandTrust, mayRunCommands, requireTrustedCommands } from "../../src/version/trusted-commands.js";

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
  flag: false,
  ...more,
});

test("commands are run under a root that the user founded or confirmed, and where the user signed the version", () => {
  expect(mayRunCommands(trust({ origin: "founded" }))).toBe(true);
  expect(mayRunCommands(trust({ origin: "confirmed" }))).toBe(true);
  expect(mayRunCommands(trust({ own: [EVE, ADA] }))).toBe(true);
  expect(mayRunCommands(trust({}))).toBe(false);
});

test("that somebody's policy names the user's key proves nothing", () => {
  const policy: Policy = {
    ...POLICY,
    principals: { Eve: { keys: [EVE], roles: ["owner", "releaser"] }, Ada: { keys: [ADA], roles: ["operator"] } },
  };
  expect(mayRunCommands(trust({ policy, signer: EVE, own: [ADA] }))).toBe(false);
});

test("whoever signed must be one who may put a version in force", () => {
  for (const signer of [null, EVE, TED]) expect(mayRunCommands(trust({ origin: "founded", signer }))).toBe(false);
  expect(mayRunCommands(trust({ signer: null, flag: true }))).toBe(true);
});

test("the refusal says why and what to do", () => {
  expect(() => requireTrustedCommands(trust({ origin: "founded" }))).not.toThrow();
  expect(() => requireTrustedCommands(trust({}))).toThrow(
    expect.objectContaining({
      code: "E112",
      message:
        "The commands of v1.2.0 are not run: this clone took its trust root as it came, and nobody has confirmed it.",
      hint: "Read them with `git show v1.2.0:kai.yaml`; `--trust-commands` runs them all the same.",
    }),
  );
});
