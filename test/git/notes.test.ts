import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commitNotes, noteWith, readNote } from "../../src/git/notes.js";
import { ObjectReader } from "../../src/git/object-reader.js";
import { updateRefs } from "../../src/git/ref-transaction.js";
import { openRepository } from "../../src/git/repository.js";
import { scratch } from "../support/scratch.js";

const REF = "refs/notes/kai";

test.each(["sha1", "sha256"])("a note is found however git has fanned the notes out (%s)", async (format) => {
  const { dir, env } = scratch();
  const git = (args: string[], input = "") => execFileSync("git", args, { cwd: dir, env, input }).toString().trim();
  git(["init", "-q", `--object-format=${format}`]);
  const commits = Array.from({ length: 300 }, (_, index) => {
    git(["commit", "-q", "--allow-empty", "-m", String(index)]);
    return git(["rev-parse", "HEAD"]);
  });
  const repository = await openRepository(dir, env);
  const reader = new ObjectReader(repository);
  try {
    const [first = "", last = ""] = [commits[0], commits.at(-1)];
    expect(await readNote(reader, REF, first)).toEqual({ notes: null, text: "" });
    let parent: string | null = null;
    // One note, a few in one folder, and so many that git makes folders of them.
    for (const many of [1, 20, 300]) {
      const notes = new Map(commits.slice(0, many).map((commit, index) => [commit, `{"line":${index}}\n`]));
      const who = { name: "Ada", email: "ada@example.com" };
      const at = new Date(0);
      const made = await commitNotes(repository, { ref: "refs/kai/pending/x", parent, who, at, message: "n\n", notes });
      await updateRefs(repository, [
        { ref: REF, old: parent, new: made },
        { ref: "refs/kai/pending/x", old: made, new: null },
      ]);
      parent = made;
      for (const commit of commits.slice(0, many)) {
        const { notes: head, text } = await readNote(reader, REF, commit);
        expect([head, text.trimEnd()]).toEqual([made, git(["notes", `--ref=${REF}`, "show", commit])]);
      }
      if (many < 300) expect(await readNote(reader, REF, last)).toEqual({ notes: made, text: "" });
    }
    expect(git(["ls-tree", "--name-only", REF]).split("\n")[0]).toHaveLength(2);
    const gone = "1".repeat(first.length);
    const tree = git(["mktree", "--missing"], `100644 blob ${gone}\t${first}\n`);
    git(["update-ref", REF, git(["commit-tree", tree, "-m", "a note that is not here"])]);
    await expect(readNote(reader, REF, first)).rejects.toThrow(`lacks the blob ${gone}`);
  } finally {
    reader.close();
  }
});

test("lines are added to a note on lines of their own", () => {
  expect([noteWith("", "b\n"), noteWith("a\n", "b\n"), noteWith("a", "b\n")]).toEqual(["b\n", "a\nb\n", "a\nb\n"]);
});
