import fc from "fast-check";
import { expect, test } from "vitest";
import { parseCommit } from "../../src/change/conventional-commit.js";

const parse = (subject: string, body = "") => parseCommit({ oid: "a".repeat(40), subject, body });

test.each([
  ["feat: answer in French", { type: "feat", scope: null, description: "answer in French", breaking: false }],
  ["fix(memory): close the file", { type: "fix", scope: "memory", description: "close the file", breaking: false }],
  ["Feat!: drop the old tool", { type: "feat", breaking: true, breakingNote: "drop the old tool" }],
  ["refactor(tools)!: rename search", { type: "refactor", scope: "tools", breaking: true }],
  ["build-ci: pin the image", { type: "build-ci" }],
  ["fix(src/päth, b): two  spaces", { scope: "src/päth, b", description: "two  spaces" }],
  ["revert: feat: answer in French", { type: "revert", isRevert: true }],
])("reads `%s`", (subject, expected) => {
  expect(parse(subject)).toMatchObject(expected);
});

test.each([
  "Answer in French",
  "feat:no space",
  "feat : gap",
  "feat(): empty scope",
  ": nothing",
  "feat: ",
  "",
  "Merge branch 'x'",
])("`%s` is not a conventional commit", (subject) => {
  expect(parse(subject)).toBeUndefined();
});

test("separates body and footers, whose values may go on over lines", () => {
  const body = [
    "The old one was slow.",
    "",
    "Note: this paragraph is prose,",
    "as is this line.",
    "",
    "More prose.",
    "",
    "Reviewed-by: Ada",
    "  and Bob",
    "Refs #123",
  ].join("\r\n");
  expect(parse("fix: quicken search", body)).toMatchObject({
    body: "The old one was slow.\n\nNote: this paragraph is prose,\nas is this line.\n\nMore prose.",
    footers: [
      { token: "Reviewed-by", value: "Ada\n  and Bob" },
      { token: "Refs", value: "123" },
    ],
    breaking: false,
  });
});

test.each([
  ["BREAKING CHANGE: the key `a` is gone", true],
  ["BREAKING-CHANGE: the key `a` is gone", true],
  ["Why.\n\nBREAKING CHANGE: the key `a` is gone\n\nSigned-off-by: Ada", true],
  ["Signed-off-by: Ada\nBREAKING CHANGE: the key `a` is gone", true],
  ["breaking change: lower case is prose", false],
  ["This is no BREAKING CHANGE: really", false],
])("footer %j breaks: %s", (body, breaking) => {
  const commit = parse("chore: tidy", body);
  expect(commit?.breaking).toBe(breaking);
  if (breaking) expect(commit?.breakingNote).toMatch(/^the key `a` is gone/);
});

test("reads what git revert writes, and what brings a commit back", () => {
  const body = "This reverts commit 0123456789abcdef0123456789abcdef01234567.";
  expect(parse('Revert "feat: answer in French"', body)).toMatchObject({
    type: "revert",
    description: "feat: answer in French",
    isRevert: true,
    reverts: ["0123456789abcdef0123456789abcdef01234567"],
  });
  for (const subject of ['Reapply "feat: answer in French"', 'Revert "Revert "feat: answer in French""']) {
    expect(parse(subject, body)).toMatchObject({ type: "feat", description: "answer in French", isRevert: true });
  }
});

test("never throws, whatever the message", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("feat", "(a)", "!: ", 'Revert "', '"', "\n", "\n\n", "BREAKING CHANGE: ", "Refs #1", "\r\n"),
  );
  const text = fc.array(line).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (subject, body) => {
      parse(subject, body);
    }),
  );
});
