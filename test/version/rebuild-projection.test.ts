import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { runTraced } from "../operation/run-traced.js";
import { disproven, placeAt, refsOf, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

/** The texts of all notes, by commit. */
const notesOf = (agent: Pick<Agent, "git">): string[] =>
  agent
    .git("notes", "--ref=kai", "list")
    .split("\n")
    .map((line) => `${line.split(" ")[1]} ${agent.git("cat-file", "blob", line.split(" ")[0] ?? "")}`);

test("recover makes lost notes and tags again from the log, and nothing is amiss with them", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  await told(agent, "promote", "1.1.0", "production");
  await told(agent, "rollback", "1.0.0");
  const [notes, tags] = [notesOf(agent), refsOf(agent, "refs/tags")];
  agent.git("update-ref", "-d", "refs/notes/kai");
  agent.git("tag", "-d", "v1.1.0", "v1.2.0");
  agent.git("reflog", "expire", "--expire=now", "--all");
  agent.git("gc", "-q", "--prune=now");
  expect(await disproven(agent)).toEqual(["v1.0.0: record-not-fetched", "v1.1.0: tag-missing", "v1.2.0: tag-missing"]);
  expect((await agent.kai("recover")).stdout).toBe(
    "Nothing was interrupted.\n✓ Made the records of 1.0.0, 1.1.0, 1.2.0 again from the log.\n✓ Made the tags of 1.1.0, 1.2.0 again from the log.\n",
  );
  expect(refsOf(agent, "refs/tags")).toBe(tags);
  // The time of an operation is its entry's now, in whole seconds.
  const plain = (texts: string[]) => texts.map((text) => text.replace(/"at":"[^"]*"/g, '"at":""'));
  expect(plain(notesOf(agent))).toEqual(plain(notes));
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 3 });
  agent.git("fsck", "--strict");
  const refs = refsOf(agent);
  expect(await told(agent, "recover")).toEqual({
    schemaVersion: 1,
    judged: null,
    recovered: [],
    rebuilt: { records: [], tags: [] },
    rehearsals: [],
    snapshots: { committed: [], ended: [], left: [], orphans: [], passedOver: null, pruned: [], resumed: [] },
  });
  expect(refsOf(agent)).toBe(refs);
});

test("recover keeps what others wrote: the lines of a note, and a tag in the place of ours", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("notes", "--ref=kai", "add", "-f", "-m", "reviewed by Bob", "v1.0.0^{commit}");
  agent.git("tag", "-f", "v1.1.0", "HEAD~1");
  expect(await disproven(agent)).toContain("v1.0.0: record-changed");
  expect(await told(agent, "recover")).toMatchObject({ rebuilt: { records: ["1.0.0"], tags: [] } });
  expect(agent.git("notes", "--ref=kai", "show", "v1.0.0^{commit}")).toMatch(/^reviewed by Bob\n\{"agent".*\}$/);
  expect(await disproven(agent)).toEqual(["v1.1.0: tag-moved"]);
});

test("a clone that adopts a log without notes, or one of its tags, has them all the same", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("update-ref", "-d", "refs/notes/kai");
  agent.git("tag", "-d", "v1.0.0");
  const { dir, env } = scratch();
  const clone = placeAt(path.join(dir, "clone"), env);
  execFileSync("git", ["clone", "-q", agent.dir, clone.dir], { env, stdio: "pipe" });
  expect(await told(clone, "init")).toMatchObject({
    outcome: "adopted",
    rebuilt: { records: ["1.0.0", "1.1.0"], tags: ["1.0.0"] },
  });
  expect(await told(clone, "verify", "--all", "--deep")).toMatchObject({ ok: true, total: 2 });
});

test.each([
  ["before the notes have a name", "rename\\S* \\S*/refs/kai/pending/[^/]*/notes$"],
  ["before the first ref moves", "rename\\S* \\S*/refs/notes/kai$"],
  ["between two refs", "rename\\S* \\S*/refs/tags/v1\\.0\\.0$"],
])("killed %s, recover does it all when it is run again", async (_when, match) => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const before = refsOf(agent);
  agent.git("update-ref", "-d", "refs/notes/kai");
  agent.git("tag", "-d", "v1.0.0");
  const ran = await runTraced(agent, ["recover"], { match, blow: "all" });
  expect([ran.exit, ran.struck]).toEqual([137, expect.stringContaining("call")]);
  await told(agent, "recover");
  const names = (refs: string) => refs.split("\n").map((line) => line.split(" ")[0]);
  expect(names(refsOf(agent))).toEqual(names(before));
  expect(await told(agent, "verify", "--all", "--deep")).toMatchObject({ ok: true });
  expect(await told(agent, "recover")).toMatchObject({ rebuilt: { records: [], tags: [] } });
});

test("recover starts as many git processes for many lost records as for one", async () => {
  const { countGitProcesses } = await import("../../bench/git-processes.js");
  const counts: number[] = [];
  const program = path.resolve(import.meta.dirname, "../../bin/git-kai-version");
  for (const versions of [["1.0.0"], ["1.0.0", "1.1.0", "1.2.0"]]) {
    const agent = await agentWithVersions(...versions);
    agent.git("update-ref", "-d", "refs/notes/kai");
    agent.git("tag", "-d", "v1.0.0");
    counts.push(
      countGitProcesses((trace) => {
        execFileSync(process.execPath, [program, "recover"], { cwd: agent.dir, env: { ...agent.env, ...trace } });
      }),
    );
  }
  expect(counts[0]).toBe(counts[1]);
});
