import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { endMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import { twoPlaces } from "./two-places.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("the agent of the working tree ends behind the switch to the one that is deployed", async () => {
  const { agent, places, news } = await twoPlaces();
  expect(await places()).toEqual(["clerk"]);
  const deployed = (await agent.kai("deploy", "1.0.0", "--json")).json();
  expect(deployed).toMatchObject({ started: { ok: true }, stopped: { ok: true, error: null }, runsOn: [] });
  expect(news()).toEqual(["v1.0.0 starts", "clerk is asked", "clerk stops"]);
  expect(await places()).toEqual(["v1.0.0"]);
  const again = (await agent.kai("deploy", "1.0.0", "--json")).json();
  expect([again.operation, again.stopped, news()]).toEqual([null, null, []]);
  const undone = (await agent.kai("undo", "--json")).json().deployment;
  expect(undone).toMatchObject({ version: null, started: { ok: true }, stopped: { ok: true } });
  expect([await places(), news()]).toEqual([["clerk"], ["clerk starts", "v1.0.0 is asked", "v1.0.0 stops"]]);
  expect((await agent.kai("undo", "--json")).json().deployment).toMatchObject({ version: "1.0.0" });
  expect(await places()).toEqual(["v1.0.0"]);
});

test("the undo of the first deployment that was killed leaves one agent, and one whose old agent comes up no more does nothing", async () => {
  const { agent, places, news } = await twoPlaces();
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const killed = (after: number) => runTraced(agent, ["undo"], { match: COMMIT_POINT, after, blow: "all" });
  await killed(0);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(await places()).toEqual(["v1.0.0"]);
  agent.write("run.sh", "#!/bin/sh\nexit 3\n");
  news();
  expect((await agent.kai("undo", "--json")).json().error).toMatchObject({ code: "E126" });
  expect(await places()).toEqual(["v1.0.0"]);
  agent.git("checkout", "-q", "run.sh");
  await killed(1);
  expect((await agent.kai("recover", "--json")).json().recovered).toMatchObject([{ ended: { ok: true } }]);
  expect(await places()).toEqual(["clerk"]);
});

test("taken back from another linked worktree the first deployment starts no agent, and says where one was ended", async () => {
  const { agent, places } = await twoPlaces();
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const planned = await agent.kai("undo", "--dry-run");
  expect(planned.stdout).toContain(`that of ${agent.dir} would be started again`);
  agent.git("worktree", "add", "-q", "-b", "other", "../other");
  const undone = await agent.run("sh", ["-c", `cd ../other && exec "${process.execPath}" "${PROGRAM}" undo`]);
  expect([undone.exit, undone.stderr]).toEqual([0, expect.stringContaining(`ran in ${agent.dir} was ended by that`)]);
  expect(await places()).toEqual([]);
});

test("an agent that the power took before the deployment had touched it runs again behind recover", async () => {
  const { agent, places, news } = await twoPlaces();
  for (const power of [true, false]) {
    await runTraced(agent, ["deploy", "1.0.0"], { match: "tmp_obj", after: 0, blow: "all" });
    if (power) await endMarked(agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir), 0);
    news();
    expect((await agent.kai("recover", "--json")).json().recovered).toMatchObject([
      { outcome: "undone", agent: { ok: true } },
    ]);
    expect([await places(), news()]).toEqual([["clerk"], power ? ["clerk starts"] : []]);
  }
});

test("where what is deployed is not well the agent of the working tree runs on", async () => {
  const { agent, places, news, version } = await twoPlaces();
  await version("1.2.0", { "run.sh": "#!/bin/sh\ntest -e .git || exit 3\nsleep 60\n" });
  expect((await agent.kai("deploy", "1.2.0", "--json")).json().error.code).toBe("E126");
  expect([await places(), news()]).toEqual([["clerk"], []]);
});

test("a deployment at another root than that of kai.yaml leaves the agent of the working tree", async () => {
  const { agent, places } = await twoPlaces();
  const elsewhere = path.join(path.dirname(agent.dir), "elsewhere");
  const mark = agentMark(entryAt(agent, "refs/kai/log").repo, path.join(elsewhere, "versions/v1.0.0"));
  onTestFinished(async () => {
    await endMarked(mark, 0);
  });
  expect((await agent.kai("deploy", "1.0.0", "--to", "../elsewhere", "--json")).json()).toMatchObject({
    stopped: null,
  });
  expect(await places()).toEqual(["clerk"]);
});

test("without commands nothing is ended: it says what runs on, also behind an undo", async () => {
  const { agent, root, places, news, here } = await twoPlaces();
  const [id] = await here();
  const warning = `No command was run that would end it, so what was started here runs on in ${agent.dir} (process ${id}).`;
  const planned = (await agent.kai("deploy", "1.0.0", "--no-commands", "--dry-run", "--json")).json();
  const { runsOn, operation } = (await agent.kai("deploy", "1.0.0", "--no-commands", "--json")).json();
  expect((await agent.kai("deploy", "1.0.0", "--no-commands")).stderr).toContain(warning);
  expect(runsOn).toEqual([{ folder: agent.dir, processes: [id] }]);
  expect(planned.runsOn).toEqual(runsOn);
  expect([await places(), news()]).toEqual([["clerk"], []]);
  expect((await agent.kai("rollback", "1.0.0", "--component", "state")).exit).toBe(0);
  expect((await agent.kai("undo", operation)).stderr).toContain(`runs on in ${root}/versions/v1.0.0 (process `);
  expect(await places()).toEqual(["v1.0.0"]);
});

test("an agent in another linked worktree is left alone", async () => {
  const { agent, places } = await twoPlaces();
  agent.git("worktree", "add", "-q", "-b", "other", "../other");
  const command = `cd ../other && exec "${process.execPath}" "${PROGRAM}" deploy 1.0.0 --json`;
  const deployed = await agent.run("sh", ["-c", command]);
  expect(deployed.json()).toMatchObject({ stopped: null });
  expect(await places()).toEqual(["clerk", "v1.0.0"]);
});

test("a deployment that was killed leaves one agent: before the commit point that of the working tree, behind it the other", async () => {
  const { agent, places, news } = await twoPlaces();
  const killed = (after: number) => runTraced(agent, ["deploy", "1.0.0"], { match: COMMIT_POINT, after, blow: "all" });
  await killed(0);
  expect(await places()).toEqual(["clerk", "v1.0.0"]);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect([await places(), news()]).toEqual([["clerk"], ["v1.0.0 starts", "v1.0.0 is ended"]]);
  await killed(1);
  expect((await agent.kai("recover", "--json")).json().recovered).toMatchObject([{ ended: { ok: true } }]);
  expect([await places(), news()]).toEqual([["v1.0.0"], ["v1.0.0 starts", "clerk is asked", "clerk stops"]]);
});
