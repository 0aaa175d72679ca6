import { expect, test } from "vitest";
import { parseSignedCommit } from "../../src/git/commit-object.js";

const ID = "a".repeat(40);
const WHO = "Ada <ada@example.com> 1700000000 +0000";

test.each([
  ["a signature of millions of lines", `author ${WHO}\ncommitter ${WHO}\ngpgsig x\n${" a\n".repeat(5 << 20)}`],
  ["hundreds of thousands of parents", `${`parent ${ID}\n`.repeat(500_000)}author ${WHO}\ncommitter ${WHO}\n`],
])("a commit with %s is none of ours", (_, headers) => {
  expect(parseSignedCommit(Buffer.from(`tree ${ID}\n${headers}\nwords\n`), "sha1")).toBeUndefined();
});

test("a long message is no long header", () => {
  const message = "words\n".repeat(1 << 20);
  const raw = Buffer.from(`tree ${ID}\nauthor ${WHO}\ncommitter ${WHO}\n\n${message}`);
  expect(parseSignedCommit(raw, "sha1")?.message).toBe(message);
});
