import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { leftovers } from "./observe.js";
import { runTraced } from "./run-traced.js";

test("killed while it writes a cache, a command leaves nothing that the next one does not sweep up", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const ran = await runTraced(agent, ["rollback", "1.0.0"], {
    match: "rename \\S*/rollback-times\\.json$",
    blow: "all",
  });
  expect(ran.exit).toBe(137);
  expect(leftovers(agent)).toEqual([expect.stringMatching(/^\.git\/kai\/cache\/rollback-times\.json\.new-\d+$/)]);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
});
