import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

/** To the next full second of the clock. */
const nextSecond = () => setTimeout(1000 - (Date.now() % 1000) + 5);

test("an edit of the same length in the second of the last commit is in the version that includes changes", async () => {
  const agent = await agentWithVersions("1.0.0");
  await nextSecond();
  agent.write("logic.py", 'print("one")\n');
  agent.commit("feat: one");
  agent.write("logic.py", 'print("two")\n');
  await nextSecond();
  const made = await agent.kai("create", "--as", "1.1.0", "--include-changes");
  expect(made.exit, String(made)).toBe(0);
  expect(agent.git("show", "v1.1.0:logic.py")).toBe('print("two")');
  expect(agent.git("status", "--porcelain")).toBe("");
});
