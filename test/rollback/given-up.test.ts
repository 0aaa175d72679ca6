import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

test("that a target was given up is a risk, with the reason, and refuses nothing", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const risks = async () => (await told(agent, "rollback", "1.0.0", "--dry-run")).plan.risks;
  await told(agent, "promote", "1.0.0", "production");
  expect((await risks()).map(({ kind }: { kind: string }) => kind)).toEqual(["state_older"]);
  await told(agent, "deprecate", "1.0.0", "--reason", "it forgets names");
  expect(await risks()).toContainEqual({
    kind: "deprecated_target",
    severity: "medium",
    message: "v1.0.0 is deprecated: it forgets names",
  });
  await told(agent, "archive", "1.0.0");
  expect(await risks()).toContainEqual({
    kind: "archived_target",
    severity: "high",
    message: "v1.0.0 is archived",
  });
  expect((await agent.kai("rollback", "1.0.0")).stdout).toContain("  risk     v1.0.0 is archived\n");
  expect(await told(agent, "status")).toMatchObject({ current: "1.0.0", standing: { status: "archived" } });
});

test("with nobody there an archived version is not chosen, and a deprecated one last", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const best = async () => (await told(agent, "rollback", "--suggest")).targets[0];
  expect(await best()).toMatchObject({ version: "1.1.0" });
  await told(agent, "deprecate", "1.1.0", "--reason", "it forgets names");
  expect(await best()).toMatchObject({ version: "1.0.0" });
  await told(agent, "archive", "1.0.0");
  expect(await best()).toMatchObject({ version: "1.1.0" });
  expect((await agent.kai("rollback", "--suggest")).stdout).toMatch(/1\.0\.0[^\n]*archived/);
});
