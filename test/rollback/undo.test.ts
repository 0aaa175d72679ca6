import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { refused, told } from "../scenarios/place.js";
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

test("undo names the backup of what the rollback overwrote, and how changes are put away that are in its way", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "not committed\n");
  const back = await told(agent, "rollback", "1.0.0", "--force");
  agent.write("logic.py", "since\n");
  expect(await refused(agent, "undo")).toMatchObject({
    code: "E102",
    hint: expect.stringMatching(/^`git stash` puts/),
  });
  agent.git("stash");
  expect(await told(agent, "undo", "--dry-run")).toMatchObject({ backup: back.backup });
  const undone = await agent.kai("undo");
  expect(undone.stdout).toContain(`  files of before  ${back.backup}  (\`git checkout ${back.backup} -- PATH\`)\n`);
  expect(agent.git("cat-file", "blob", `${back.backup}:logic.py`)).toBe("not committed");
  expect(await told(agent, "undo")).toMatchObject({ backup: null });
});
