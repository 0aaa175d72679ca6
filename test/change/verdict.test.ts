import fc from "fast-check";
import { expect, test } from "vitest";
import { changelogOf } from "../../src/change/changelog.js";
import { type CommitText, judge } from "../../src/change/verdict.js";

const oid = (n: number) =>
  n
    .toString(16)
    .padStart(40, "0")
    .replace(/^0{8}/, (n * 2654435761).toString(16).padStart(8, "0").slice(-8));

function commit(n: number, subject: string, more: Partial<CommitText> = {}): CommitText {
  return { oid: oid(n), subject, body: "", ...more };
}

function reverting(n: number, ...targets: number[]): CommitText {
  const body = targets.map((target) => `This reverts commit ${oid(target)}.`).join("\n");
  return commit(n, 'Revert "something"', { body });
}

const rulesOf = (commits: CommitText[]) => judge({ commits, stable: true }).findings.map(({ rule }) => rule);

test.each([
  [["feat: a", "fix: b", "chore: c"], true, "minor"],
  [["fix: b", "perf: c"], true, "patch"],
  [["fix!: b", "feat: a"], true, "major"],
  [["Tidy the prompts"], true, "patch"],
  [["fix!: b"], false, "minor"],
  [["feat: a"], false, "patch"],
  [[], true, "none"],
] as const)("%j (stable: %s) demands %s", (subjects, stable, required) => {
  const commits = subjects.map((subject, index) => commit(index + 1, subject));
  expect(judge({ commits, stable }).required).toBe(required);
});

test("each finding says what was found, and what to do", () => {
  const body = "BREAKING CHANGE: the tool `search` is now `find`";
  const { findings } = judge({ commits: [commit(1, "feat(tools): rename search", { body })], stable: true });
  expect(findings).toEqual([
    {
      rule: "commit-breaking",
      level: "major",
      file: null,
      line: null,
      message: `${oid(1).slice(0, 12)} (feat(tools): rename search) breaks: the tool \`search\` is now \`find\``,
      remedy: expect.stringContaining("Release a new major version"),
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      commit: oid(1),
    },
  ]);
});

test("a fingerprint survives a rebase and tells matters apart", () => {
  const fingerprint = (n: number, subject: string) =>
    judge({ commits: [commit(n, subject)], stable: true }).findings[0]?.fingerprint;
  expect(fingerprint(1, "fix: a")).toBe(fingerprint(2, "fix: a"));
  expect(fingerprint(1, "fix: a")).not.toBe(fingerprint(1, "fix: b"));
});

test("a commit that changed no files says nothing, unless its message does", () => {
  const merge = commit(1, "Merge branch 'x'", { changedFiles: false });
  expect(judge({ commits: [merge], stable: true })).toEqual({ required: "none", findings: [] });
  expect(changelogOf([merge])).toEqual([]);
  expect(rulesOf([commit(1, "chore: run again", { changedFiles: false })])).toEqual([]);
  expect(rulesOf([commit(1, "feat!: announce", { changedFiles: false })])).toEqual(["commit-breaking"]);
});

test.each([
  ["a commit and its revert cancel out", [commit(1, "feat: a"), reverting(2, 1)], ["revert-cancelled"], "none"],
  ["in any order", [reverting(2, 1), commit(1, "feat: a")], ["revert-cancelled"], "none"],
  [
    "a revert that is reverted gives its target back",
    [commit(1, "feat: a"), reverting(2, 1), reverting(3, 2)],
    ["commit-feature", "revert-cancelled"],
    "minor",
  ],
  [
    "one commit may revert several",
    [commit(1, "feat!: a"), commit(2, "fix: b"), reverting(3, 1, 2)],
    ["revert-cancelled", "revert-cancelled"],
    "none",
  ],
  ["a revert of something older stays", [reverting(9, 1)], ["commit-other"], "patch"],
  [
    "also where it takes back something of the range too",
    [commit(2, "feat: a"), reverting(9, 1, 2)],
    ["revert-cancelled", "commit-other"],
    "patch",
  ],
  [
    "a fix that reverts is still a fix",
    [commit(1, "feat!: a"), commit(2, "fix: b", { body: `This reverts commit ${oid(1)}.` })],
    ["revert-cancelled", "commit-fix"],
    "patch",
  ],
  [
    "a revert that is said to break does",
    [commit(1, "feat: a"), commit(2, "revert!: feat: a", { body: `This reverts commit ${oid(1)}.` })],
    ["revert-cancelled", "commit-breaking"],
    "major",
  ],
  [
    "an abbreviated id is completed",
    [commit(1, "feat: a"), commit(2, "revert: a", { body: `This reverts commit ${oid(1).slice(0, 10)}.` })],
    ["revert-cancelled"],
    "none",
  ],
] as [string, CommitText[], string[], string][])("%s", (_, commits, rules, required) => {
  expect(rulesOf(commits)).toEqual(rules);
  expect(judge({ commits, stable: true }).required).toBe(required);
});

test("commits that claim to revert each other or themselves end in a verdict", () => {
  expect(rulesOf([reverting(1, 2), reverting(2, 1)])).toHaveLength(1);
  expect(rulesOf([reverting(1, 1)])).toEqual(["commit-other"]);
});

test("a chain of 5,000 reverts is no burden", () => {
  const chain = [commit(1, "feat: a")];
  for (let n = 2; n <= 5_001; n += 1) chain.push(reverting(n, n - 1));
  expect(judge({ commits: chain, stable: true }).required).toBe("minor");
});

test("the changelog lists what is left", () => {
  const commits = [
    commit(1, "feat(ask): a"),
    commit(2, "fix!: b"),
    commit(3, "Tidy"),
    commit(4, "feat: c"),
    reverting(5, 4),
  ];
  expect(changelogOf(commits)).toEqual([
    { type: "feat", scope: "ask", description: "a", breaking: false, commit: oid(1) },
    { type: "fix", scope: null, description: "b", breaking: true, commit: oid(2) },
    { type: "other", scope: null, description: "Tidy", breaking: false, commit: oid(3) },
  ]);
});

test("the order of the commits does not change what is demanded", () => {
  const pool = [
    commit(1, "feat: a"),
    commit(2, "fix!: b"),
    reverting(3, 2),
    reverting(4, 3),
    reverting(5, 1),
    commit(6, "x"),
  ];
  fc.assert(
    fc.property(
      fc
        .subarray(pool)
        .chain((some) => fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length }))),
      ([some, shuffled]) => {
        expect(judge({ commits: shuffled, stable: true }).required).toBe(
          judge({ commits: some, stable: true }).required,
        );
      },
    ),
    { numRuns: 30 },
  );
});
