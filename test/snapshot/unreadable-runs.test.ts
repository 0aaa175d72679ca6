import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { snapshotAgent } from "./snapshot-agent.js";

/** Of which what comes next has to pass its tests. */
async function agentWithRule() {
  const agent = await snapshotAgent();
  const config = JSON.parse(readFileSync(path.join(agent.dir, "kai.yaml"), "utf8"));
  const rule = { require_snapshot_test: true, tests: [{ name: "answers", run: "true" }] };
  agent.write("kai.yaml", JSON.stringify({ ...config, snapshot_isolation: { ...config.snapshot_isolation, ...rule } }));
  agent.commit("feat: be tested");
  return agent;
}

test("where refs/kai/runs is no runs it is said, with the way out, which leads out", async () => {
  const agent = await agentWithRule();
  const file = path.join(agent.dir, ".git", "refs", "kai", "runs");
  const { id } = await agent.made("run", "1.1.0", "--", "sh", "-c", "yes | head -c 3000000");
  const before = agent.git("rev-parse", "refs/kai/runs");
  for (const [wrong, why] of [
    [agent.git("rev-parse", "HEAD^{tree}"), "names a tree"],
    [agent.git("rev-parse", "HEAD:kai.yaml"), "names a blob"],
    ["1".repeat(40), `names ${"1".repeat(40)}, which cannot be read`],
    ["garbage", "holds no object's name"],
    ["", "holds no object's name"],
  ] as const) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${wrong}\n`);
    for (const command of [["runs"], ["show", "01K"], ["logs", "01K"]])
      expect(await agent.refused(...command), `${why} ${command}`).toMatchObject({
        code: "E116",
        message: `refs/kai/runs, which has what was run in sandboxes, ${why}.`,
      });
    expect((await agent.snapshot("logs", id)).stdout).toHaveLength(3_000_000);
    const ran = await agent.snapshot("run", "1.1.0", "--", "echo", "out");
    expect(ran, why).toMatchObject({ exit: 0, stdout: "out\n" });
    expect(ran.stderr).toContain(
      `The run could not be kept: refs/kai/runs, which has what was run in sandboxes, ${why}`,
    );
    const gate = (await agent.kai("create", "--as", "2.0.0", "--json")).json().error;
    expect(gate).toMatchObject({ code: "E116", message: expect.stringContaining(why) });
    const [, remove = ""] = /; `([^`]+)` gives up/.exec(gate.hint) ?? [];
    execFileSync("sh", ["-c", remove], { cwd: agent.dir, env: agent.env });
    expect(await agent.made("runs"), remove).toMatchObject({ total: 0 });
    await agent.made("run", "1.1.0", "--", "true");
    expect(await agent.made("runs")).toMatchObject({ total: 1 });
  }
  agent.git("update-ref", "refs/kai/runs", before);
  expect(await agent.made("runs")).toMatchObject({ runs: [{ run: before }] });
});

test.each(["missing", "damaged"])("a record that is %s hides what is older, and that is said", async (how) => {
  const agent = await agentWithRule();
  const ran = [];
  for (const word of ["first", "second", "third"]) ran.unshift(await agent.made("run", "1.1.0", "--", "echo", word));
  await agent.made("test", "HEAD");
  const [third, second, first] = ran;
  const object = path.join(agent.dir, ".git", "objects", second.run.slice(0, 2), second.run.slice(2));
  rmSync(object, { force: true });
  if (how === "damaged") writeFileSync(object, "nothing that git wrote");

  const { total, runs } = await agent.made("runs");
  expect([total, runs[1].id]).toEqual([2, third.id]);
  const told = (await agent.snapshot("runs")).stderr;
  expect(told).toContain(`What was run before is not told: ${second.run} of refs/kai/runs is missing or damaged.`);
  expect(await agent.snapshot("logs", third.id)).toMatchObject({ exit: 0, stdout: "third\n" });
  expect(await agent.refused("show", first.id)).toMatchObject({ code: "E101" });
  // What was tested since goes on being evidence, and what is run being kept.
  expect((await agent.kai("create", "--as", "2.0.0")).exit).toBe(0);
  await agent.made("run", "1.1.0", "--", "true");
  expect(await agent.made("runs")).toMatchObject({ total: 3 });
});
