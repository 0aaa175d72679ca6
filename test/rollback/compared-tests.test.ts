import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

const fileOf = (agent: Agent) => path.join(agent.dir, ".git/kai/cache/test-results.json");
const tagOf = (agent: Agent, version: string) => agent.git("rev-parse", `refs/tags/v${version}`);

/** Versions 1.0.0 and 1.1.0 with a benchmark, which may be worse than before by this. */
async function benchmarked(worse: string) {
  const agent = await agentWithVersions();
  const scenario = `{name: speed, kind: performance, run: "echo fast", expect: {worse_than_before: ${worse}}}`;
  agent.write("kai.yaml", `agent_id: ai.example.clerk\nsnapshot_isolation:\n  tests:\n    - ${scenario}\n`);
  agent.commit("feat: benchmark");
  await told(agent, "create", "--as", "1.0.0");
  agent.write("logic.py", "more\n");
  agent.commit("feat: more");
  await told(agent, "create", "--as", "1.1.0");
  return agent;
}

/** Has the benchmark have taken so long with a version. */
const measured = (agent: Agent, version: string, durationMs: number) =>
  writeFileSync(
    fileOf(agent),
    JSON.stringify({ agent: { speed: { [tagOf(agent, version)]: [{ durationMs, peakMemory: null }] } } }),
  );

const validated = ({ steps }: { steps: { type: string }[] }) => steps.find(({ type }) => type === "validate_rollback");

test("a benchmark of which no version before has a result is measured, kept and said to be compared with none", async () => {
  const agent = await benchmarked("99999%");
  const back = await told(agent, "rollback", "1.0.0");
  expect(validated(back)).toMatchObject({
    status: "done",
    remarks: ["speed is compared with no version before: none was tested on this machine."],
    output: "fast\n",
  });
  const kept = JSON.parse(readFileSync(fileOf(agent), "utf8"));
  expect(kept).toMatchObject({ agent: { speed: { [tagOf(agent, "1.0.0")]: [{ durationMs: expect.any(Number) }] } } });
  // From then on there is something to compare with.
  const [remark] = (validated(await told(agent, "undo")) as never as { remarks: string[] }).remarks;
  expect(remark).toMatch(/^speed: \d+ ms, with 1\.0\.0 \d+ ms/);
  expect((await agent.kai("rollback", "1.0.0", "--force")).stdout).toMatch(
    /✓ validate_rollback .*\n {6}speed: \d+ ms, with 1\.1\.0 \d+ ms/,
  );
});

test("a benchmark that is worse than with the version that is left makes the rollback not hold", async () => {
  const agent = await benchmarked("20%");
  measured(agent, "1.1.0", 0.001);
  const error = await refused(agent, "rollback", "1.0.0");
  expect(error).toMatchObject({
    code: "E127",
    message: expect.stringMatching(
      /the performance test speed: It took \d+ ms, with 1\.1\.0 0 ms: at most 20% more were expected\. 1\.1\.0 is in force instead/,
    ),
  });
  // What failed is nobody's measure.
  expect(Object.keys(JSON.parse(readFileSync(fileOf(agent), "utf8")).agent.speed)).toEqual([tagOf(agent, "1.1.0")]);
  measured(agent, "1.1.0", 1e9);
  const back = await told(agent, "rollback", "1.0.0", "--force");
  expect(validated(back)).toMatchObject({
    status: "done",
    remarks: [expect.stringMatching(/^speed: \d+ ms, with 1\.1\.0 1000000000 ms/)],
  });
});
