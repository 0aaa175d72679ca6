import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";

test("with --quiet a command that does something says what it made, and else nothing", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const quiet = async (...args: string[]) => {
    const { exit, stdout, stderr } = await agent.kai(...args, "--quiet");
    expect([exit, stderr], args.join(" ")).toEqual([0, ""]);
    return stdout;
  };
  agent.write("feature.txt", "new");
  agent.commit("feat: another");
  expect(await quiet("create", "--dry-run")).toMatch(/^Would create /);
  expect(await quiet("create")).toBe("1.2.0\n");
  expect(await quiet("promote", "1.2.0", "staging")).toBe("");
  expect(await quiet("deprecate", "1.0.0", "--reason", "1.2.0 answers better")).toBe("");
  // What was replaced or given up is part of the result.
  expect(await quiet("rollback", "1.1.0")).toMatch(/^✓ Rolled back /);
  expect(await quiet("undo")).toMatch(/^✓ /);
  expect(await quiet("current")).toBe("1.2.0\n");
});
