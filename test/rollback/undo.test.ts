import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

test("undo of a rollback puts the version left in force again, with its files", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await agent.kai("rollback", "1.0.0");
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    ✓ Undone: rollback v1.1.0 -> v1.0.0
      in force   1.0.0 -> 1.1.0
      commit     <id>
      back       1.1.0
      ✓ validate_target  <time>
      ✓ backup_current  <time>
      ✓ restore_code  <time>
      ✓ restore_data  <time>
      ✓ cleanup  <time>
    [exit 0]
  `);
  expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toContain("1.1.0");
  expect((await agent.kai("current", "--json")).json().version).toBe("1.1.0");
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("undo of the first create leaves nothing in force, and the number taken", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("undo")).toMatchInlineSnapshot(`
    ✓ Undone: create v1.0.0
      in force   1.0.0 -> nothing
      withdrawn  1.0.0
      ✓ validate_target  <time>
      ✓ cleanup  <time>
    [exit 0]
  `);
  expect(agent.git("tag", "--list")).toBe("v1.0.0");
  expect((await agent.kai("current")).exit).toBe(1);
  expect((await agent.kai("create", "--allow-unchanged", "--json")).json().version).not.toBe("1.0.0");
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});
