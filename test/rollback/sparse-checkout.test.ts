import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const file = (agent: Agent, name: string): string => path.join(agent.dir, name);

/** 1.0.0 has `big/one` and `big/two`; 1.1.0 has another `big/one`, no `big/two`, and `big/three`. */
async function agentWithBigFiles(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write("logic.py", "print(1)\n");
  agent.write("big/one", "of 1.0.0\n");
  agent.write("big/two", "of 1.0.0\n");
  await makeVersion(agent, "1.0.0", "feat: big");
  agent.write("logic.py", "print(2)\n");
  agent.write("big/one", "of 1.1.0\n");
  agent.remove("big/two");
  agent.write("big/three", "of 1.1.0\n");
  await makeVersion(agent, "1.1.0", "feat: bigger");
  return agent;
}

test("what a sparse checkout leaves out stays out, there and back; only the index changes", async () => {
  const agent = await agentWithBigFiles();
  agent.git("sparse-checkout", "set", "prompts", "tools");
  for (const [command, files] of [
    [["rollback", "1.0.0"], "one two"],
    [["undo"], "one three"],
    [["rollback", "1.0.0", "--force"], "one two"],
  ] as const) {
    const ran = await agent.kai(...command);
    expect(ran.exit, String(ran)).toBe(0);
    expect(existsSync(file(agent, "big"))).toBe(false);
    expect(agent.git("status", "--porcelain")).toBe("");
    expect(agent.git("ls-files", "-t", "big").split("\n").sort()).toEqual(
      files
        .split(" ")
        .map((name) => `S big/${name}`)
        .sort(),
    );
  }
  expect(readFileSync(file(agent, "logic.py"), "utf8")).toBe("print(1)\n");
  agent.git("sparse-checkout", "disable");
  expect(agent.git("status", "--porcelain")).toBe("");
  expect(readFileSync(file(agent, "big/one"), "utf8")).toBe("of 1.0.0\n");
});

test("a file that is marked skip-worktree: replaced where it is unchanged, else refused or saved; not made where it is not", async () => {
  const agent = await agentWithBigFiles();
  agent.git("update-index", "--skip-worktree", "big/one");
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(readFileSync(file(agent, "big/one"), "utf8")).toBe("of 1.0.0\n");
  agent.write("big/one", "mine\n");
  expect((await agent.kai("undo")).stderr).toContain(
    "E102: Files whose content is in no version would be overwritten: big/one",
  );
  expect(readFileSync(file(agent, "big/one"), "utf8")).toBe("mine\n");
  const forced = await agent.kai("rollback", "1.1.0", "--json", "--force");
  expect(forced.exit, String(forced)).toBe(0);
  expect(agent.git("show", `${forced.json().backup}:big/one`)).toBe("mine");
  expect(readFileSync(file(agent, "big/one"), "utf8")).toBe("of 1.1.0\n");
  agent.git("update-index", "--skip-worktree", "big/one");
  agent.remove("big/one");
  expect((await agent.kai("undo")).exit).toBe(0);
  expect(existsSync(file(agent, "big/one"))).toBe(false);
  expect(agent.git("status", "--porcelain")).toBe("");
});
