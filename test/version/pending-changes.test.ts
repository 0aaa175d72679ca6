import { expect, test } from "vitest";
import { told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

/** 1.1.0 in force, and a feature on top that no version has. */
async function agentAhead() {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("more.py", "print('more')\n");
  agent.commit("feat: more");
  return agent;
}

test("what was on top of a version before a rollback is new again once that is undone, however often", async () => {
  const agent = await agentAhead();
  for (let times = 0; times < 2; times++) {
    await told(agent, "rollback", "1.0.0");
    expect(await told(agent, "status")).toMatchObject({ unversioned: 0 });
    await told(agent, "undo");
    expect(await told(agent, "next")).toMatchObject({ current: "1.1.0", next: "1.2.0" });
  }
  // An undo of the undo is the rollback again, and one of that brings it back.
  await told(agent, "undo");
  expect(await told(agent, "current")).toMatchObject({ version: "1.0.0" });
  await told(agent, "undo");
  expect(await told(agent, "create")).toMatchObject({ version: "1.2.0", parent: "1.1.0" });
});

test("of rollbacks that were undone nothing is left to be versioned", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  for (let times = 0; times < 2; times++)
    for (const args of [["rollback", "1.0.0"], ["undo"]]) await told(agent, ...args);
  expect(await told(agent, "status")).toMatchObject({ current: "1.1.0", unversioned: 0, modified: [] });
  expect(await told(agent, "next")).toMatchObject({ next: null, required: "none" });
  agent.write("more.py", "print('more')\n");
  agent.commit("feat: more");
  expect(await told(agent, "next")).toMatchObject({ next: "1.2.0" });
});

test("so is what a version was made of that is taken back", async () => {
  const agent = await agentAhead();
  expect(await told(agent, "create")).toMatchObject({ version: "1.2.0" });
  await told(agent, "undo");
  expect(await told(agent, "create")).toMatchObject({ parent: "1.1.0" });
});
