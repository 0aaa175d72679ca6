import { readlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { entryAt } from "../operation/observe.js";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import { LIFECYCLE, RUN, type Running, runningAgent } from "./running-agent.js";
import { twoPlaces } from "./two-places.js";

/** A stop that ends the agents of all versions, as is common; the pattern is this deployment's alone. */
const ALL_AT_ONCE = LIFECYCLE.replace("exec ./run.sh", "exec ./run.sh $KAI_DEPLOYMENT").concat(
  `  stop: {run: 'pkill -f "run.sh $KAI_DEPLOYMENT"; true', timeout: 5s}\n`,
);

/** An agent that comes up so often, and no more. */
const times = (often: number): string =>
  RUN.replace(
    "say starts",
    `echo >> "$KAI_DEPLOYMENT/starts-$KAI_VERSION"
test $(wc -l < "$KAI_DEPLOYMENT/starts-$KAI_VERSION") -le ${often} || { echo worn out; exit 3; }
say starts`,
  );

const linkOf = ({ root }: Pick<Running, "root">): string => readlinkSync(path.join(root, "current"));

test("a stop that ends the new agent with the old one: it is started once more, and that is said", async () => {
  const place = await runningAgent();
  const { agent, version, versionsThatRun } = place;
  await version("1.0.0", { "kai.yaml": ALL_AT_ONCE, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.0.0", "--json")).json().started).toMatchObject({ ok: true, againMs: null });
  const deployed = await agent.kai("deploy", "1.1.0");
  expect([deployed.exit, await versionsThatRun()]).toEqual([0, ["1.1.0"]]);
  expect(deployed.stdout).toMatch(/agent {4}well after .*, and once more after .*: it had been stopped/);
  expect(deployed.stderr).toContain("let `lifecycle.stop` end the agent of its own version");
  const undone = (await agent.kai("undo", "--json")).json().deployment;
  expect(undone.started).toMatchObject({ ok: true, againMs: expect.any(Number) });
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
});

test("where it does not come up again, what was deployed before is so again, and it fails; all is in the log", async () => {
  const place = await runningAgent();
  const { agent, version, versionsThatRun } = place;
  await version("1.0.0", { "kai.yaml": ALL_AT_ONCE, "run.sh": RUN });
  await version("1.1.0", { "run.sh": times(1) });
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const failed = await agent.kai("deploy", "1.1.0", "--json");
  const { error } = failed.json();
  expect([failed.exit, error]).toMatchObject([1, { code: "E126", command: "lifecycle.start" }]);
  expect(error.message).toMatch(/did not come up again: .*worn out\. v1\.0\.0 is deployed again, and the agent/);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect(entryAt(agent, "refs/kai/log")).toMatchObject({ kind: "undo", details: { undoes: error.operation } });
  expect(entryAt(agent, "refs/kai/log~1")).toMatchObject({
    kind: "outcome",
    details: { kind: "deploy", of: error.operation, ok: false, version: "1.1.0" },
  });
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});

test("where that does not come back either, it says that no agent runs", async () => {
  const place = await runningAgent();
  const { agent, version, versionsThatRun } = place;
  await version("1.0.0", { "kai.yaml": ALL_AT_ONCE, "run.sh": times(1) });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const failed = await agent.kai("deploy", "1.1.0", "--json");
  expect([failed.exit, failed.json().error]).toMatchObject([
    1,
    { code: "E126", back: null, message: expect.stringContaining("could not be taken back, and no agent runs now") },
  ]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", []]);
});

/** By the version alone, so that one folder's agent answers and is ended for the other's. */
const BY_VERSION = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json]}}}
deploy: {root: ../deployed, keep: 3}
lifecycle:
  start: {run: 'echo "$KAI_VERSION starts" >> "$EVENTS"; echo $$ > "$PLACES/$KAI_VERSION.pid"; exec sleep 1000', timeout: 20s}
  health: {run: 'kill -0 $(cat "$PLACES/$KAI_VERSION.pid")', timeout: 5s, retries: 4}
  stop: {run: 'kill $(cat "$PLACES/$KAI_VERSION.pid")', timeout: 1s}
`;

test("so it is with a stop by the version alone, where the working tree's agent had the same: deployed, undone, and killed", async () => {
  const { agent, places } = await twoPlaces({ "kai.yaml": BY_VERSION });
  const deployed = (await agent.kai("deploy", "1.0.0", "--json")).json();
  expect([deployed.started, await places()]).toMatchObject([{ againMs: expect.any(Number) }, ["v1.0.0"]]);
  const undone = (await agent.kai("undo", "--json")).json().deployment;
  expect([undone.started, await places()]).toMatchObject([{ againMs: expect.any(Number) }, ["clerk"]]);
  await runTraced(agent, ["deploy", "1.0.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  expect(await places()).toEqual(["clerk", "v1.0.0"]);
  expect(String(await agent.kai("recover"))).toContain("✓ the agent runs, started once more");
  expect(await places()).toEqual(["v1.0.0"]);
});
