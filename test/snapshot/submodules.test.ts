import { mkdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

/** An agent whose version 1.2.0 has a submodule, which nobody fetched, beside a file. */
async function agentWithSubmodule(isolation: Readonly<Record<string, unknown>> = {}): Promise<SnapshotAgent> {
  const agent = await snapshotAgent(isolation, { "vendor/readme": "x\n" });
  mkdirSync(path.join(agent.dir, "vendor/lib"));
  agent.git("update-index", "--add", "--cacheinfo", `160000,${agent.git("rev-parse", "HEAD")},vendor/lib`);
  agent.git("commit", "-qm", "feat: a submodule");
  expect((await agent.kai("create")).exit).toBe(0);
  return agent;
}

async function changed(agent: SnapshotAgent, script: string, ...options: string[]): Promise<string> {
  const { id } = await agent.made("create", "1.2.0", ...options);
  await agent.made("exec", id, "--", "sh", "-ec", script);
  return id;
}

const linkIn = (agent: SnapshotAgent, tree: string): string => agent.git("ls-tree", "-r", tree, "vendor/lib");

test.each([["overlay"], ["none"]])(
  "what is written into a submodule is refused, and that stays (files: %s)",
  async (files) => {
    const agent = await agentWithSubmodule();
    const id = await changed(
      agent,
      "mkdir vendor/lib/a; echo x | tee vendor/lib/c vendor/lib/a/b > new.txt",
      "--filesystem",
      files,
    );
    const refused = ["vendor/lib/a/b", "vendor/lib/c"].map((each) => ({ path: each, reason: "lies in a submodule" }));
    expect(await agent.made("diff", id)).toMatchObject({ added: ["new.txt"], deleted: [], refused });
    const saved = await agent.made("save", id);
    expect(saved).toMatchObject({ changed: ["new.txt"], refused });
    const done = await agent.made("commit", id);
    expect(done).toMatchObject({ changed: [{ path: "new.txt", change: "added" }], refused });
    const before = linkIn(agent, "v1.2.0");
    expect(before).toMatch(/^160000 /);
    expect([linkIn(agent, saved.commit), linkIn(agent, done.branch)]).toEqual([before, before]);
  },
);

test("a submodule that a file takes the place of is told as changed, and one below that as deleted", async () => {
  const agent = await agentWithSubmodule();
  const replaced = await changed(agent, "rmdir vendor/lib; echo x > vendor/lib");
  expect(await agent.made("diff", replaced)).toMatchObject({ added: [], modified: ["vendor/lib"], deleted: [] });
  expect((await agent.made("commit", replaced)).changed).toEqual([{ path: "vendor/lib", change: "modified" }]);
  const id = await changed(agent, "rm -r vendor; echo x > vendor");
  const told = { added: ["vendor"], modified: [], deleted: ["vendor/lib", "vendor/readme"] };
  expect(await agent.made("diff", id)).toMatchObject(told);
  expect((await agent.made("commit", id)).changed).toEqual([
    { path: "vendor", change: "added" },
    { path: "vendor/lib", change: "deleted" },
    { path: "vendor/readme", change: "deleted" },
  ]);
});
