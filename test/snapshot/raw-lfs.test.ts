import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const REASON = "Git LFS keeps it, and this is no pointer";
const POINTER = `version https://git-lfs.github.com/spec/v1\\noid sha256:${"a".repeat(64)}\\nsize 5\\n`;

/** Git LFS keeps `*.bin`, but for those of one folder, and what a macro names. */
const agentWithLfs = (): Promise<SnapshotAgent> =>
  snapshotAgent(
    {},
    {
      ".gitattributes": '[attr]large filter=lfs diff=lfs\n*.bin filter=lfs -text\n"a b" large\n',
      "small/.gitattributes": "*.bin !filter\n",
      "small/one.bin": "one\n",
    },
  );

test("what Git LFS keeps is committed as a pointer or not at all, and no sandbox says what it keeps", async () => {
  const agent = await agentWithLfs();
  const { id } = await agent.made("create", "1.1.0");
  const script = `for f in raw.bin 'a b' small/one.bin new.txt; do echo x > "$f"; done; printf '${POINTER}' > good.bin
    : > empty.bin; echo '*.txt filter=lfs' > .gitattributes; printf '%s' '*.bin !filter' >> .gitattributes; ln -s new.txt link.bin`;
  await agent.made("exec", id, "--", "sh", "-ec", script);
  const refused = ["a b", "raw.bin"].map((each) => ({ path: each, reason: REASON }));
  const taken = [".gitattributes", "empty.bin", "good.bin", "link.bin", "new.txt", "small/one.bin"];
  const diff = await agent.made("diff", id);
  expect(diff).toMatchObject({ refused });
  const untemporary = await agent.run(process.execPath, [PROGRAM, "snapshot", "diff", id, "--json"], {
    TMPDIR: "/nonexistent",
  });
  expect(untemporary.json()).toEqual(diff);
  expect([...diff.added, ...diff.modified].sort()).toEqual(taken);
  const saved = await agent.made("save", id);
  expect(saved.changed).toEqual([".gitattributes", "a b", ...taken.slice(1, 5), "raw.bin", "small/one.bin"]);
  const done = await agent.made("commit", id, "--allow-executable");
  expect(done.refused).toEqual(refused);
  expect(done.changed.map((each: { path: string }) => each.path)).toEqual(taken);
});

test("nor does a commit take what the save that it began with had of it", async () => {
  const agent = await agentWithLfs();
  const base = await agent.made("create", "1.1.0");
  await agent.made("exec", base.id, "--", "sh", "-ec", "echo x | tee raw.bin > new.txt");
  await agent.made("save", base.id);
  const { id } = await agent.made("create", "1.1.0", "--type", "layered", "--base", base.id);
  await agent.made("exec", id, "--", "sh", "-ec", "echo y > other.txt");
  const done = await agent.made("commit", id);
  expect(done.refused).toEqual([{ path: "raw.bin", reason: REASON }]);
  expect(done.changed.map((each: { path: string }) => each.path)).toEqual(["new.txt", "other.txt"]);
});
