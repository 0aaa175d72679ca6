import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
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
      – backup_current
      ✓ restore_code  <time>
      ✓ cleanup  <time>

    The agent's live state was left as it is.
    \`git kai-version undo\` takes this back.
    [exit 0]
  `);
  expect(agent.git("rev-parse", "HEAD^")).toBe(head);
  expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", "v1.0.0^{tree}"));
  expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toBe('print("answer of 1.0.0")\n');
  expect(agent.git("status", "--porcelain")).toBe("");
});
