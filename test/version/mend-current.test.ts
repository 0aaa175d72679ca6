import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { gitFile, leftovers } from "../operation/observe.js";
import { type Blow, runTraced } from "../operation/run-traced.js";
import { refsOf, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions, copyAgent } from "../support/agent.js";

/** `all`: every call that writes; without it one of so many. */
const STEP = process.env["KAI_SWEEP"] === "all" ? 1 : 7;

const CURRENT = "refs/tags/current";
const conflicts = (agent: Agent) => refsOf(agent, "refs/kai/conflict").split("\n");

/** An agent whose tag `current` somebody put on the version's own tag. */
async function movedAgent() {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const [wanted, moved] = [agent.git("rev-parse", CURRENT), agent.git("rev-parse", "refs/tags/v1.0.0")];
  agent.git("update-ref", CURRENT, moved);
  return { agent, wanted, moved };
}

/** What is amiss once somebody has recovered for as long as there was something to say. */
async function problemsAfter(agent: Agent, { wanted, moved }: { wanted: string; moved: string }): Promise<string[]> {
  const problems: string[] = [];
  for (let tries = 1; ; tries++) {
    const { exit, stderr } = await agent.kai("recover");
    if (exit === 0) break;
    if (exit !== 4 || tries === 3) return [`recover ended with ${exit}: ${stderr}`];
  }
  if (agent.git("rev-parse", CURRENT) !== wanted) problems.push("current is not what the log says");
  const kept = conflicts(agent);
  if (kept.length !== 1 || !kept[0]?.endsWith(` ${moved}`)) problems.push(`kept are ${kept.join(", ")}`);
  problems.push(...leftovers(agent).map((name) => `${name} is left`));
  if (agent.git("fsck", "--no-dangling") !== "") problems.push("fsck");
  if ((await agent.kai("verify", "--all")).exit !== 0) problems.push("verify");
  return problems;
}

test("putting `current` back, struck at any call that writes, is done by who comes next", {
  timeout: 600_000,
}, async () => {
  const moved = await movedAgent();
  const trace = copyAgent(moved.agent);
  const { calls, exit } = await runTraced(trace, ["recover"]);
  expect(exit).toBe(4);
  rmSync(path.dirname(trace.dir), { recursive: true });
  // From the journal on: what is before is every command's own.
  const first = calls.findIndex((call) => call.includes("/kai/journal/")) + 1;
  expect(first).toBeGreaterThan(0);
  const failures: string[] = [];
  for (let at = first; at <= calls.length; at += STEP) {
    const agent = copyAgent(moved.agent);
    const blow: Blow = (at - first) % 2 === 0 ? "all" : "first";
    await runTraced(agent, ["recover"], { at, blow });
    for (const problem of await problemsAfter(agent, moved))
      failures.push(`${blow} at ${at} (${calls[at - 1]}): ${problem}`);
    rmSync(path.dirname(agent.dir), { recursive: true, force: true, maxRetries: 3 });
  }
  expect(failures).toEqual([]);
});

test("a tag `current` that leads to a version's tag is replaced, and that tag is not moved", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const tags = refsOf(agent, "refs/tags");
  agent.git("symbolic-ref", CURRENT, "refs/tags/v1.0.0");
  expect(await refused(agent, "recover")).toMatchObject({ code: "E114" });
  expect(refsOf(agent, "refs/tags")).toBe(tags);
  expect(() => agent.git("symbolic-ref", CURRENT)).toThrow();
  expect(await told(agent, "verify", "--all")).toMatchObject({ ok: true });
});

test("what is found again is kept once", async () => {
  const { agent, moved } = await movedAgent();
  await refused(agent, "recover");
  agent.git("update-ref", CURRENT, moved);
  const [kept] = conflicts(agent);
  const again = await refused(agent, "recover");
  expect([again.code, conflicts(agent)]).toEqual(["E114", [kept]]);
  expect(again.message).toContain(kept?.split(" ")[0]);
});

test("one that names an object that is not here is put back, and so is the object of the right one", async () => {
  const { agent, wanted } = await movedAgent();
  writeFileSync(gitFile(agent, CURRENT), `${"1".repeat(40)}\n`);
  expect(await refused(agent, "recover")).toMatchObject({
    code: "E114",
    message: "The tag `current` was not what the log says; it is again; what it named is not here",
  });
  expect(agent.git("rev-parse", CURRENT)).toBe(wanted);
  const { commonDir } = await openRepository(agent.dir, agent.env);
  rmSync(path.join(commonDir, "objects", wanted.slice(0, 2), wanted.slice(2)));
  expect(await told(agent, "create", "--allow-unchanged")).toMatchObject({ version: "1.1.1" });
  expect(agent.git("cat-file", "-t", wanted)).toBe("tag");
});
