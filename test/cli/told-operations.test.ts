import { expect, test } from "vitest";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import { agentWithVersions } from "../support/agent.js";

test("recover and undo tell of an operation what the log does, beside what they did", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  const recovered = (await agent.kai("recover", "--json")).json().recovered[0];
  const newest = async () => (await agent.kai("log", "--limit", "1", "--json")).json().operations[0];
  const rolledBack = await newest();
  expect(rolledBack).toMatchObject({ kind: "rollback", from: "1.1.0", to: "1.0.0" });
  expect(recovered).toEqual({
    ...rolledBack,
    operation: rolledBack.id,
    ended: null,
    outcome: "completed",
    conflicts: [],
    agent: null,
    replaced: [],
  });
  const undone = (await agent.kai("undo", "--json")).json();
  expect(undone).toMatchObject({ ...(await newest()), undone: { id: rolledBack.id }, operation: undone.id });
});
