import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { observeButLog } from "../operation/observe.js";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const read = (agent: Agent, name: string): string => readFileSync(path.join(agent.dir, name), "utf8");

/** State that is a file in 1.0.0, and a folder with a folder in it in 1.1.0 and now. */
async function agentWithShapes(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(".gitignore", "mem\nstate.json\nlog.txt\n");
  agent.write(
    "kai.yaml",
    "agent_id: ai.example.clerk\nversion_management: {artifacts: {state: {include: [mem, state.json]}}}\n",
  );
  agent.write("mem", "a file\n");
  await makeVersion(agent, "1.0.0", "feat: a file");
  agent.remove("mem");
  agent.write("mem/f", "in a folder\n");
  agent.write("mem/deep/g", "further down\n");
  await makeVersion(agent, "1.1.0", "feat: a folder");
  agent.write("mem/f", "live\n");
  return agent;
}

const blocked = async (agent: Agent) =>
  (await told(agent, "rollback", "1.0.0", "--dry-run")).plan.risks.filter(
    ({ kind }: { kind: string }) => kind === "state_blocked",
  );

test("state that was a file and is a folder goes back, and forth with undo", async () => {
  const agent = await agentWithShapes();
  mkdirSync(path.join(agent.dir, "mem/empty"));
  expect(await blocked(agent)).toEqual([]);
  await told(agent, "rollback", "1.0.0");
  expect(read(agent, "mem")).toBe("a file\n");
  await told(agent, "undo");
  expect([read(agent, "mem/f"), read(agent, "mem/deep/g")]).toEqual(["live\n", "further down\n"]);
});

test.runIf(process.getuid?.() === 0)(
  "what root has to make anew of it belongs to whom the folder around it does",
  async () => {
    const agent = await agentWithShapes();
    chownSync(path.join(agent.dir, "mem"), 1234, 1234);
    rmSync(path.join(agent.dir, "mem/deep"), { recursive: true });
    await told(agent, "rollback", "1.1.0", "--component", "state");
    for (const name of ["mem/deep", "mem/deep/g"]) {
      const { uid, gid } = statSync(path.join(agent.dir, name));
      expect([name, uid, gid]).toEqual([name, 1234, 1234]);
    }
  },
);

test("killed on that way it is brought to its end", async () => {
  const agent = await agentWithShapes();
  await runTraced(agent, ["rollback", "1.0.0"], { match: "rmdir \\S*/mem$", after: 0, blow: "all" });
  expect(readdirSync(path.join(agent.dir, "mem"))).toEqual([]);
  await told(agent, "recover");
  expect(read(agent, "mem")).toBe("a file\n");
});

test("what somebody put into that folder since a crash stays, and is told", async () => {
  const agent = await agentWithShapes();
  await runTraced(agent, ["rollback", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  agent.write("mem/since", "since\n");
  const ran = await agent.kai("recover");
  expect(ran.stderr).toContain("Error E114");
  expect([read(agent, "mem/since"), existsSync(path.join(agent.dir, "mem/f"))]).toEqual(["since\n", false]);
});

test("a dry run says that state cannot go where a link is, or a folder with something else in it", async () => {
  const agent = await agentWithShapes();
  symlinkSync("f", path.join(agent.dir, "mem/link"));
  const before = observeButLog(agent);
  expect(await blocked(agent)).toEqual([
    {
      kind: "state_blocked",
      severity: "high",
      message:
        "something that is no file, or a link on the way, is where state goes: mem; it is refused until that is moved away",
    },
  ]);
  expect((await agent.kai("rollback", "1.0.0", "--force")).stderr).toContain("Error E102");
  expect(observeButLog(agent)).toEqual(before);
  expect(read(agent, "mem/f")).toBe("live\n");
});
