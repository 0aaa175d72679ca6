import { expect, test } from "vitest";
import { type RollbackResult, rollBack } from "../../src/rollback/rollback.js";
import { parseNumber } from "../../src/version/number.js";
import { observe } from "../operation/observe.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/** Goes back to 1.0.0 by force; `meanwhile` is done when the backup is taken and nothing is overwritten yet. */
function forcedBackWith(agent: Agent, meanwhile: () => void): Promise<RollbackResult> {
  const progress = (message: string) => {
    if (message.startsWith("Restoring")) meanwhile();
  };
  const caller = { cwd: agent.dir, env: agent.env, now: () => new Date(), progress, onRecovered: () => {} };
  return rollBack(caller, { to: parseNumber("1.0.0"), force: true, unproven: false, dryRun: false });
}

const backups = (agent: Agent): string[] =>
  agent
    .git("for-each-ref", "--format=%(refname)", "refs/kai/backup")
    .split("\n")
    .filter((ref) => ref !== "");

test("a forced rollback that another git keeps from happening leaves everything as it was, and no backup", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "mine\n");
  agent.write("tools/search.json", "staged\n");
  agent.git("add", "tools/search.json");
  agent.remove("prompts/system.md");
  agent.write(".git/index.lock", "");
  const before = observe(agent);
  expect(await agent.kai("rollback", "1.0.0", "--force")).toMatchInlineSnapshot(`
    Error E113: Another git process holds <agent>/.git/index.lock.
    Hint: Wait for it to end and run the command again; if no git process runs, remove that file.
    [exit 4]
  `);
  expect(observe(agent)).toEqual(before);
  agent.remove(".git/index.lock");
  const { backup } = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(backups(agent)).toEqual([backup]);
  expect(agent.git("show", `${backup}:logic.py`)).toBe("mine");
});

test("the backup of a rollback that failed stays where a file was written over since", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "saved\n");
  agent.write("tools/search.json", "saved too\n");
  await expect(forcedBackWith(agent, () => agent.write("logic.py", "later\n"))).rejects.toMatchObject({ code: "E102" });
  const [backup] = backups(agent);
  expect(agent.git("show", `${backup}:logic.py`)).toBe("saved");
});

test("the backup stays where the log went on", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "saved\n");
  const elsewhere = () => {
    const commit = agent.git("commit-tree", "-p", "refs/kai/log", "-m", "another", "refs/kai/log^{tree}");
    agent.git("update-ref", "refs/kai/log", commit);
  };
  await expect(forcedBackWith(agent, elsewhere)).rejects.toMatchObject({ code: "E116" });
  expect(backups(agent)).toHaveLength(1);
});
