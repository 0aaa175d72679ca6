import { expect, test } from "vitest";
import { Output } from "../../src/cli/output.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { runHere } from "../support/run-here.js";

/** What a command shows on a terminal of so many columns, without colours. */
async function shownAt(columns: number, agent: Agent, line: string): Promise<string> {
  let shown = "";
  const stdout = (text: string) => {
    shown += text;
  };
  const output = new Output({
    json: false,
    quiet: false,
    color: false,
    columns,
    live: false,
    terminals: { stdout: false, stderr: false },
    stdout: (text) => stdout(String(text)),
    stderr: () => {},
    pour: () => undefined,
  });
  await runHere(agent, line.split(" "), output);
  return shown;
}

test("tables fit a terminal of 80 columns, and say what happened", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await agent.kai("rollback", "1.0.0");
  const log = await shownAt(80, agent, "log");
  expect(log).toContain("rollback v1.1.0");
  for (const text of [log, await shownAt(80, agent, "list"), await shownAt(80, agent, "key list")]) {
    for (const line of text.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
  }
});

test("the id that a terminal shows of an operation is one that undo takes", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const [, newest = ""] = (await shownAt(80, agent, "log")).split("\n");
  const [id = ""] = newest.split(" ");
  expect(id).toHaveLength(14);
  expect((await agent.kai("undo", id, "--dry-run")).stdout).toContain("create v1.1.0");
  expect((await agent.kai("log", "--limit", "1")).stdout).toContain(
    (await agent.kai("log", "--json")).json().operations[0].id,
  );
});

test("status and next say what comes next", async () => {
  const agent = await agentWithVersions();
  expect(await shownAt(80, agent, "status")).toContain("no version is in force: `git kai-version create` makes one");
  const made = await agentWithVersions("1.0.0");
  expect(await shownAt(80, made, "status")).toContain("Nothing differs from it.");
  expect(await shownAt(80, made, "create --allow-unchanged --dry-run")).toContain(
    "Would create v1.0.1 (auto, after 1.0.0)",
  );
});

test("a plan's sentences and risks go on in further lines", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "mine\n");
  const shown = await shownAt(80, agent, "rollback 1.0.0 --dry-run");
  expect(shown).toContain("it is refused without\n             `--force`, which saves and replaces them\n");
  for (const line of shown.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
});
