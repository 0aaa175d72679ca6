import { expect, test } from "vitest";
import { formatPolicy, foundingPolicy, mayDo, parsePolicy, policyDigest, principalOf } from "../../src/trust/policy.js";

const [ADA, BOB] = ["A".repeat(40), "B".repeat(40)];

const text = (change: (policy: Record<string, unknown>) => void): string => {
  const policy = JSON.parse(formatPolicy(foundingPolicy("ada", ADA)));
  change(policy);
  return formatPolicy(policy);
};

test("the founder may do everything, and nobody else anything", () => {
  const policy = parsePolicy(formatPolicy(foundingPolicy("Ada Agent", ADA)));
  expect(principalOf(policy, ADA)).toBe("Ada Agent");
  expect(
    ["owner", "releaser", "operator", "tester", "auditor"].every((role) => mayDo(policy, ADA, role as "owner")),
  ).toBe(true);
  expect(principalOf(policy, BOB)).toBeUndefined();
  expect(mayDo(policy, BOB, "tester")).toBe(false);
});

test("the same policy is always the same bytes", () => {
  expect(formatPolicy(foundingPolicy("ada", ADA))).toBe(
    `{"format":"kai-policy/1","principals":{"ada":{"keys":["${ADA}"],"roles":["owner","releaser","operator","tester","auditor"]}},"thresholds":{"owner":1}}\n`,
  );
  expect(policyDigest(foundingPolicy("ada", ADA))).toBe(
    policyDigest(parsePolicy(formatPolicy(foundingPolicy("ada", ADA)))),
  );
  expect(policyDigest(foundingPolicy("ada", ADA))).not.toBe(policyDigest(foundingPolicy("ada", BOB)));
});

test("a principal with few roles has no others", () => {
  const policy = parsePolicy(
    text((each) => {
      each["principals"] = {
        ada: { keys: [ADA], roles: ["owner"] },
        bob: { keys: [BOB], roles: ["tester"] },
      };
    }),
  );
  expect(mayDo(policy, BOB, "tester")).toBe(true);
  expect(mayDo(policy, BOB, "releaser")).toBe(false);
  expect(mayDo(policy, ADA, "releaser")).toBe(false);
});

test("a principal named like a part of every object is one like any other", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    const policy = parsePolicy(formatPolicy(foundingPolicy("ada", ADA)).replace('"ada"', JSON.stringify(name)));
    expect(principalOf(policy, ADA)).toBe(name);
    expect(principalOf(policy, BOB)).toBeUndefined();
  }
});

test("what is not exactly a policy is refused with what is wrong", () => {
  const cases: [string, string][] = [
    ["nonsense", "it is not JSON"],
    ["[]", "the policy is not an object"],
    [text((each) => Object.assign(each, { format: "kai-policy/2" })), "its format is not kai-policy/1"],
    [text((each) => Object.assign(each, { extra: 1 })), "a key that is not known: extra"],
    [text((each) => delete each["thresholds"]), "has no thresholds"],
    [text((each) => Object.assign(each, { thresholds: { owner: 0 } })), "not a number from 1"],
    [text((each) => Object.assign(each, { thresholds: { owner: 2 } })), "it asks for 2 owners and has 1"],
    [
      text((each) => Object.assign(each, { principals: { ada: { keys: ["12"], roles: ["owner"] } } })),
      "no proper keys",
    ],
    [text((each) => Object.assign(each, { principals: { ada: { keys: [], roles: ["owner"] } } })), "no proper keys"],
    [text((each) => Object.assign(each, { principals: { ada: { keys: [ADA], roles: ["king"] } } })), "a role that"],
    [
      text((each) =>
        Object.assign(each, {
          principals: { ada: { keys: [ADA], roles: ["owner"] }, eve: { keys: [ADA], roles: ["owner"] } },
        }),
      ),
      "a key stands in it twice",
    ],
    [JSON.stringify(foundingPolicy("ada", ADA), null, 2), "not in canonical form"],
    [
      formatPolicy(foundingPolicy("ada", ADA)).replace('"thresholds"', '"thresholds":{"owner":9},"thresholds"'),
      "not in canonical form",
    ],
  ];
  for (const [policy, reason] of cases) {
    expect(() => parsePolicy(policy), reason).toThrow(
      expect.objectContaining({ code: "E121", message: expect.stringContaining(reason) }),
    );
  }
});
