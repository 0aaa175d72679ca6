import { expect, test } from "vitest";
import { distinctPath } from "../../src/system/path-bytes.js";
import { manifestLines, partDigest, versionHash } from "../../src/version/manifest.js";
import { parseCommits } from "../../src/version/read-commits.js";
import { requireSeen } from "../../src/version/rolled-back-log.js";
import {
  checkDescription,
  formatCurrentTag,
  formatVersionTag,
  parseCurrentTag,
  parseVersionTag,
} from "../../src/version/tag-text.js";
import { parseStatus, requireBranch, requireCommit } from "../../src/version/work-tree-status.js";

const TAG = {
  description: "answers in French",
  changelog: ["feat: answer in French", "fix(tools): search"],
  agent: "ai.example.clerk",
  repo: "a1",
  type: "auto",
  parent: "1.0.0",
  hash: "sha256:00",
  record: "sha256:11",
  state: "sha256:22",
} as const;

test("the body of a version's tag says what it is, and is read back", () => {
  const text = formatVersionTag(TAG);
  expect(text).toMatchInlineSnapshot(`
    "answers in French

    - feat: answer in French
    - fix(tools): search

    Kai-Agent: ai.example.clerk
    Kai-Repo: a1
    Kai-Type: auto
    Kai-Parent: 1.0.0
    Kai-Hash: sha256:00
    Kai-Record: sha256:11
    Kai-State: sha256:22
    "
  `);
  const { description, changelog, ...rest } = TAG;
  expect(parseVersionTag(text)).toEqual({ ...rest, subject: description });
  expect(changelog).toHaveLength(2);
});

test("a first version without state has neither parent nor state", () => {
  const text = formatVersionTag({ ...TAG, changelog: [], parent: null, state: null });
  expect(text).not.toMatch(/Kai-Parent|Kai-State/);
  expect(parseVersionTag(text)).toMatchObject({ parent: null, state: null });
});

test("a description that looks like trailers is not taken for them", () => {
  const text = formatVersionTag({ ...TAG, description: "x\n\nKai-Hash: sha256:ff\nKai-Type: rollback" });
  expect(parseVersionTag(text)).toMatchObject({ hash: "sha256:00", type: "auto" });
});

test("a body that lacks one of ours, or has an unknown type, is another tool's", () => {
  expect(parseVersionTag("Release 1.0\n")).toBeUndefined();
  expect(parseVersionTag(formatVersionTag(TAG).replace("Kai-Record: sha256:11\n", ""))).toBeUndefined();
  expect(parseVersionTag(formatVersionTag(TAG).replace("Kai-Type: auto", "Kai-Type: other"))).toBeUndefined();
});

test("the tag current names the version, its tag and the operation", () => {
  const text = formatCurrentTag({
    version: "1.0.0",
    tagName: "v1.0.0",
    tag: "a".repeat(40),
    agent: "clerk",
    repo: "a1",
    operation: "01EZ02PM0039YHTP3KX5CYNSJX",
  });
  expect(parseCurrentTag(text, "bb")).toEqual({
    version: "1.0.0",
    tag: "a".repeat(40),
    pointer: "bb",
    operation: "01EZ02PM0039YHTP3KX5CYNSJX",
  });
  for (const [good, bad] of [
    ["Version: 1.0.0", "Version: 1.0\u001b[2J"],
    ["Tag: a", "Tag: g"],
    ["Operation: 01", "Operation: -1"],
  ] as const) {
    expect(parseCurrentTag(text.replace(good, bad), "bb"), bad).toBeUndefined();
  }
  expect(parseCurrentTag("just words", "bb")).toBeUndefined();
});

test.each(["", "  \n", "a\0b", "bell \u0007", "x\r\ny", "x\n-----BEGIN PGP SIGNATURE-----\n"])(
  "%j is no description",
  (text) => {
    expect(() => checkDescription(text)).toThrow(expect.objectContaining({ code: "E122" }));
  },
);

test("the manifest is in the order of path bytes, and does not depend on the order given", () => {
  const files = ["b", "a/z", "a", "\xc3\xbc", "Z", "a-b"].map((path) => ({ path, mode: "100644", id: path }));
  const digests = new Map(files.map(({ id }) => [id, "00"]));
  const lines = manifestLines(files, digests);
  expect(lines.map(([path]) => path)).toEqual(["Z", "a", "a-b", "a/z", "b", "ü"]);
  expect(versionHash(manifestLines([...files].reverse(), digests))).toBe(versionHash(lines));
  expect(partDigest(lines)).not.toBe(partDigest(lines.slice(1)));
});

test("a submodule counts by its commit", () => {
  expect(manifestLines([{ path: "sub", mode: "160000", id: "c0" }], new Map())).toEqual([["sub", "160000", "c0"]]);
});

test("paths that are not UTF-8 stay apart from all others", () => {
  expect(distinctPath("a\xe9b")).toBe("/a%E9b");
  expect(distinctPath("a%E9b")).toBe("a%E9b");
  expect(distinctPath("100%\xe9")).toBe("/100%25%E9");
});

test("git status is read, whatever the names", () => {
  const status = parseStatus(
    [
      "# branch.oid 1234",
      "# branch.head feature/\xc3\xbc",
      "1 .M N... 100644 100644 100644 aa bb my file\nwith lines",
      "1 A. S... 000000 160000 160000 aa bb sub",
      "1 .M SC.. 160000 160000 160000 aa bb moved",
      "u UU N... 100644 100644 100644 100644 aa bb cc both sides",
      "? new folder/",
      "",
    ].join("\0"),
  );
  expect(status).toEqual({
    bare: false,
    head: "1234",
    branch: "refs/heads/feature/ü",
    dirty: ["my file\nwith lines", "sub", "moved"],
    submodules: ["moved"],
    unmerged: ["both sides"],
    untracked: ["new folder/"],
  });
  expect(() => requireCommit(status)).toThrow("A merge is under way");
});

test("an unborn branch and a detached HEAD are told apart", () => {
  const unborn = parseStatus("# branch.oid (initial)\0# branch.head main\0");
  expect(unborn).toMatchObject({ head: null, branch: "refs/heads/main" });
  expect(() => requireCommit(unborn)).toThrow("This branch has no commit yet.");
  const detached = parseStatus("# branch.oid 1234\0# branch.head (detached)\0");
  expect(() => requireBranch(detached)).toThrow("HEAD is detached");
});

test("commits that change no file are known as such, merges among them", () => {
  const commit = (mark: string, id: string, tree: string, parents: string, subject: string) =>
    `${mark}${id} ${tree} ${parents}\n${subject}\nbody of ${id}\n`;
  const text = [
    commit(">", "m", "t3", "b e", "Merge branch 'x'"),
    commit(">", "e", "t2", "b", "docs: nothing"),
    commit(">", "b", "t2", "a", "feat: something"),
    commit(">", "r", "t9", "", "another root"),
    commit("-", "a", "t1", "z", "before"),
  ].join("\0");
  expect(parseCommits(text)).toEqual([
    { oid: "m", subject: "Merge branch 'x'", body: "body of m", changedFiles: false },
    { oid: "e", subject: "docs: nothing", body: "body of e", changedFiles: false },
    { oid: "b", subject: "feat: something", body: "body of b", changedFiles: true },
    { oid: "r", subject: "another root", body: "body of r", changedFiles: true },
  ]);
});

test("a log without the entry that was seen last was rolled back", () => {
  requireSeen([{ commit: "b" }, { commit: "a" }], { seen: "a" });
  expect(() => requireSeen([{ commit: "a" }], { seen: "b" })).toThrow("it was rolled back");
});
