import { expect, test } from "vitest";
import { NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

const TESTS = [{ name: "answers", run: "python3 logic.py", expect: { stdout: "moon" } }];

test("a commit that is no version yet is tried like one, by its own kai.yaml", async () => {
  const agent = await snapshotAgent();
  agent.write("logic.py", "print('moon')\n");
  const config = JSON.parse(agent.git("show", "HEAD:kai.yaml"));
  config.snapshot_isolation.tests = TESTS;
  agent.write("kai.yaml", JSON.stringify(config));
  agent.commit("feat: the moon");
  agent.git("branch", "moon");
  agent.write("logic.py", "print('nobody has committed this')\n");

  const head = agent.git("rev-parse", "HEAD");
  const name = head.slice(0, 10);
  for (const asked of ["HEAD", "moon", head]) {
    expect(await agent.made("test", asked)).toMatchObject({ version: name, commit: head, passed: true });
  }
  expect(agent.git("log", "-1", "--format=%s", "refs/kai/runs")).toBe(`run answers in ${name}: passed`);
  expect(await agent.made("run", "HEAD~1", "--", "python3", "logic.py")).toMatchObject({ stdout: "answer of 1.0.0\n" });

  const { id } = await agent.made("create", "HEAD");
  expect(await agent.made("exec", id, "--", "sh", "-c", "echo sun > sun.txt")).toMatchObject({ exitCode: 0 });
  const { commit } = await agent.made("commit", id);
  expect(agent.git("rev-parse", `${commit}~1`)).toBe(head);
  expect(await agent.made("destroy", id)).toMatchObject({ version: name });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("what is neither a version nor a commit is said as everywhere, and an option is none", async () => {
  const agent = await snapshotAgent();
  expect(await agent.refused("run", "moon", "--", "true")).toMatchObject({ code: "E107" });
  expect(await agent.refused("run", "1.9.9", "--", "true")).toMatchObject({ code: "E101" });
  expect(await agent.refused("run", "HEAD:logic.py", "--", "true")).toMatchObject({ code: "E107" });
});
