import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { openRepository } from "../../src/git/repository.js";
import { type Entry, LOG_REF } from "../../src/operation/entry.js";
import { kaiHome } from "../../src/trust/key-store.js";
import { openSigner } from "../../src/trust/signer.js";
import { smallAgent } from "../deploy/small-agent.js";
import { disproven, refused } from "../scenarios/place.js";
import { addEntry } from "../trust/hand-made-log.js";

test("an entry with the releaser's own signature that puts another tag in a version's place is refused by all", async () => {
  const agent = await smallAgent({ "logic.py": "print('hello')\n" });
  await agent.create();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  await agent.create();
  const repository = await openRepository(agent.dir, agent.env);
  const newest = JSON.parse(agent.git("log", "-1", "--format=%b", LOG_REF)) as Entry;
  const [first, second] = [agent.git("rev-parse", "v1.0.0"), agent.git("rev-parse", "v1.1.0")];
  await addEntry(repository, {
    signer: await openSigner({ home: kaiHome(agent.env), env: agent.env }),
    parents: [agent.git("rev-parse", LOG_REF)],
    at: new Date("2027-07-01T00:00:00Z"),
    entry: {
      repo: newest.repo,
      kind: "create",
      seq: newest.seq + 1,
      changes: [{ ref: "refs/tags/v1.0.0", old: first, new: second }],
      current: { before: newest.current.after, after: newest.current.after },
    },
  });
  agent.git("update-ref", "refs/tags/v1.0.0", second);
  expect(await disproven(agent, "--all")).toContain("log: E121");
  expect(await refused(agent, "create", "--allow-unchanged")).toMatchObject({
    code: "E121",
    message: expect.stringContaining("it moves refs/tags/v1.0.0"),
  });
  await expect(loadAgent(agent.dir)).rejects.toMatchObject({ code: "E121" });
});
