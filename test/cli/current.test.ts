import { expect, test } from "vitest";
import { refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";

test("current says what the log says, and prints nothing where the tag says otherwise", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const pointer = agent.git("rev-parse", "refs/tags/current");
  agent.git("update-ref", "refs/tags/current", agent.git("rev-parse", "v1.0.0"));
  expect(await agent.kai("current")).toMatchInlineSnapshot(`
    Error E121: The log says that 1.1.0 is in force, and the tag \`current\` is another.
    Hint: \`git kai-version init\` takes in what the remote's log says, \`git kai-version recover\` puts the tag back where the log here says; \`git kai-version verify\` looks closer.
    [exit 1]
  `);
  agent.git("update-ref", "-d", "refs/tags/current");
  expect(await refused(agent, "current")).toMatchObject({ code: "E121", message: expect.stringContaining("is gone") });
  agent.git("update-ref", "refs/tags/current", pointer);
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0", commit: agent.git("rev-parse", "v1.1.0^{}") });
  // Without a log a tag proves nothing, wherever it came from.
  agent.git("update-ref", "-d", "refs/kai/log");
  expect(await refused(agent, "current")).toMatchObject({ code: "E105", exit: 1 });
});
