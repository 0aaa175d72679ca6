import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const IGNORES = { ".gitignore": "__pycache__/\n*.log\nnode_modules/\n", "logs/.gitignore": "!kept.log\n" };

/** An agent whose version ignores what a run leaves, and has one file that would be ignored. */
async function ignoringAgent(): Promise<SnapshotAgent> {
  const agent = await snapshotAgent({}, IGNORES);
  agent.write("had.log", "of the version\n");
  agent.git("add", "--force", "had.log");
  agent.commit("feat: a file that would be ignored");
  expect((await agent.kai("create", "--as", "1.2.0")).exit).toBe(0);
  return agent;
}

const LEFT = ["__pycache__/lib.pyc", "a.log", "node_modules/x/index.js", "node_modules/x/package.json"];

const upgrade = [
  "mkdir -p __pycache__ node_modules/x logs",
  "echo x | tee __pycache__/lib.pyc a.log node_modules/x/index.js node_modules/x/package.json had.log logs/kept.log",
  "echo lock > package-lock.json",
  // It would take everything in, and leave out what it has no say in.
  "printf '%s\\n' '!*' 'package-lock.json' > .gitignore",
].join("; ");

test("what the version's own .gitignore files ignore is in no commit unless it is asked for; a save has all", async () => {
  const agent = await ignoringAgent();
  const { id } = await agent.made("create", "1.2.0");
  await agent.made("exec", id, "--", "sh", "-ec", upgrade);
  const diff = await agent.made("diff", id);
  expect(diff.ignored).toEqual(LEFT);
  expect(diff.added).toEqual([...LEFT, "logs/kept.log", "package-lock.json"].sort());
  expect((await agent.snapshot("diff", id)).stdout).toContain("added     a.log  ignored\n");
  const saved = await agent.made("save", id);
  expect(agent.git("ls-tree", "-r", "--name-only", saved.commit).split("\n")).toEqual(expect.arrayContaining(LEFT));
  const kept = [".gitignore", "had.log", "logs/kept.log", "package-lock.json"];
  const told = await agent.snapshot("commit", id, "--dry-run");
  expect(told.stdout).toContain("ignored  4 files (--include-ignored takes them)");
  const all = await agent.made("commit", id, "--dry-run", "--include-ignored");
  expect(all).toMatchObject({ ignored: [], changed: { length: kept.length + LEFT.length } });
  const done = await agent.made("commit", id);
  expect(done.ignored).toEqual(LEFT);
  expect(agent.git("diff", "--name-only", "v1.2.0", done.branch).split("\n")).toEqual(kept);
});

test("what a base has saved and the version ignores is in no commit of what stands on it", async () => {
  const agent = await ignoringAgent();
  const { id: base } = await agent.made("create", "1.2.0");
  await agent.made("exec", base, "--", "sh", "-c", "echo x > a.log; echo new > new.txt");
  await agent.made("save", base);
  const { id } = await agent.made("create", "1.2.0", "--base", base);
  await agent.made("exec", id, "--", "sh", "-c", "echo y >> a.log; echo z > b.log");
  expect(await agent.made("commit", id)).toMatchObject({ changed: [{ path: "new.txt" }], ignored: ["a.log", "b.log"] });
});

test("where all that changed is ignored, nothing is committed, and the way to have it is named", async () => {
  const agent = await ignoringAgent();
  const { id } = await agent.made("create", "1.2.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo x > a.log");
  expect(await agent.refused("commit", id)).toMatchObject({
    code: "E109",
    hint: expect.stringContaining("1 ignored by the version, which `--include-ignored` takes"),
  });
  expect(await agent.made("commit", id, "--include-ignored")).toMatchObject({ changed: [{ path: "a.log" }] });
});
