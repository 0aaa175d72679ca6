import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { placeAt, refsOf, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

test("refuses a version that was never made", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  expect(await agent.kai("rollback", "9.0.0")).toMatchInlineSnapshot(`
    Error E101: There is no version 9.0.0.
    Hint: The newest are 1.0.0, 1.1.0; \`git kai-version list\` shows all.
    [exit 1]
  `);
});

test("goes back by one new commit, and says how to take that back", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const head = agent.git("rev-parse", "HEAD");
  expect(await agent.kai("rollback", "1.0.0")).toMatchInlineSnapshot(`
    ✓ Rolled back 1.1.0 -> 1.0.0
      commit   <id>, undoing 1 commit
      ✓ validate_target  <time>
      ✓ backup_current  <time>
      ✓ restore_code  <time>
      ✓ restore_data  <time>
      ✓ cleanup  <time>
      risk     the state goes back <time>, to when it was captured
      state of before  refs/kai/backup/<operation>-state

    The agent's state is that which was captured with the version.
    \`git kai-version undo\` takes this back.
    [exit 0]
  `);
  expect(agent.git("rev-parse", "HEAD^")).toBe(head);
  expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", "v1.0.0^{tree}"));
  expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toBe('print("answer of 1.0.0")\n');
  expect(agent.git("status", "--porcelain")).toBe("");
});

test("a shallow clone that cuts off what would be undone refuses a rollback, until git fetch --unshallow", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const folder = path.join(path.dirname(agent.dir), "shallow");
  // Two commits: 1.2.0's and the edge, 1.1.0's.
  agent.git("clone", "--quiet", "--depth=2", pathToFileURL(agent.dir).href, folder);
  const clone = placeAt(folder, agent.env);
  expect((await clone.kai("init")).exit).toBe(0);
  const before = refsOf(clone);
  expect(await clone.kai("rollback", "1.0.0")).toMatchInlineSnapshot(`
    Error E125: This is a shallow clone: the commits since v1.0.0 are not all in it.
    Hint: Nothing was changed. \`git fetch --unshallow\` brings them; then run it again.
    [exit 1]
  `);
  expect(refsOf(clone)).toBe(before);
  expect(clone.git("status", "--porcelain")).toBe("");
  expect((await told(clone, "rollback", "1.1.0")).undone).toBe(1);
  await told(clone, "undo");
  clone.git("fetch", "--quiet", "--unshallow");
  expect((await told(clone, "rollback", "1.0.0")).undone).toBe(4);
  expect(clone.git("log", "-1", "--format=%b").match(/^This reverts commit \w+\.$/gm)).toHaveLength(4);
});
