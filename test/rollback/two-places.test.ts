import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { signalledAt } from "../deploy/running-agent.js";
import { CONFIG, RUN, twoPlaces } from "../deploy/two-places.js";
import { entryAt } from "../operation/observe.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("the agent of the working tree, left by a deployment without commands, is stopped there by its own command", async () => {
  const { agent, root, places, news } = await twoPlaces();
  expect((await agent.kai("deploy", "1.0.0", "--no-commands")).exit).toBe(0);
  expect([await places(), news()]).toEqual([["clerk"], []]);
  const back = (await agent.kai("rollback", "1.1.0", "--force", "--json")).json();
  expect(back.steps.filter(({ error }: { error: unknown }) => error !== null)).toEqual([]);
  expect(news()).toEqual(["clerk is asked", "clerk stops", "v1.1.0 starts"]);
  expect([await places(), existsSync(path.join(root, "versions/v1.0.0"))]).toEqual([["v1.1.0"], true]);
});

test("state that goes back is not written by one that nobody stopped", async () => {
  const { agent, places, news } = await twoPlaces();
  await agent.kai("deploy", "1.0.0", "--no-commands");
  const back = await agent.kai("rollback", "1.0.0", "--component", "state");
  expect([back.exit, back.stderr]).toEqual([0, ""]);
  expect([news(), await places()]).toEqual([["clerk is asked", "clerk stops", "v1.0.0 starts"], ["v1.0.0"]]);
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe('"captured"\n');
});

test("where nothing happens the agent of the working tree is started again there", async () => {
  const { agent, places, news } = await twoPlaces({ "kai.yaml": `${CONFIG}  migrate: {run: exit 4}\n` });
  await agent.kai("deploy", "1.0.0", "--no-commands");
  expect((await agent.kai("create", "--as", "1.2.0", "--allow-unchanged")).exit).toBe(0);
  news();
  expect((await agent.kai("rollback", "1.0.0", "--keep-state", "--json")).json().error.code).toBe("E126");
  expect([news(), await places()]).toEqual([["clerk is asked", "clerk stops", "clerk starts"], ["clerk"]]);
});

test("what a rollback has started in a deployment that was taken back ends with the next one", async () => {
  const { agent, places, news } = await twoPlaces();
  const { operation } = (await agent.kai("deploy", "1.0.0", "--no-commands", "--json")).json();
  await agent.kai("rollback", "1.0.0", "--component", "state");
  expect([await places(), news().at(-1)]).toEqual([["v1.0.0"], "v1.0.0 starts"]);
  expect((await agent.kai("undo", operation)).exit).toBe(0);
  expect(await places()).toEqual(["v1.0.0"]);
  expect((await agent.kai("rollback", "1.1.0", "--force")).exit).toBe(0);
  expect(news()).toEqual(["v1.0.0 is asked", "v1.0.0 stops", "clerk starts"]);
  expect(await places()).toEqual(["clerk"]);
});

test("of several that run an emergency leaves only the one that it starts", async () => {
  const { agent, root, places } = await twoPlaces();
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const env = { ...agent.env, KAI_AGENT: agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir) };
  await agent.run("sh", ["-c", "setsid ./run.sh > /dev/null 2>&1 &"], env);
  await expect.poll(places).toEqual(["clerk", "v1.0.0"]);
  expect((await agent.kai("rollback", "1.1.0", "--type", "emergency", "--force")).exit).toBe(0);
  expect([await places(), existsSync(path.join(root, "v1.0.0.stop"))]).toEqual([["v1.1.0"], false]);
});

test("a rollback that was killed while the working tree's agent stood still has it started there again", async () => {
  const place = await twoPlaces({
    "run.sh": RUN.replace('rm -f "$here.well"\necho', 'rm -f "$here.well"\nsleep 1\necho'),
  });
  const { agent, places } = place;
  await agent.kai("deploy", "1.0.0", "--no-commands");
  await signalledAt(place, ["rollback", "1.1.0", "--force"], "clerk is asked");
  expect((await agent.kai("recover", "--json")).json().recovered).toMatchObject([
    { outcome: "undone", agent: { ok: true } },
  ]);
  expect(await places()).toEqual(["clerk"]);
});

test("who asks for its health, or would have it stand still for a moment, finds it where it runs", async () => {
  const { agent, places } = await twoPlaces();
  expect((await agent.kai("deploy", "1.0.0", "--no-commands")).exit).toBe(0);
  expect((await agent.kai("rollback", "--when", "health == 0", "--json")).json()).toMatchObject({ triggered: false });
  const itself = { KAI_AGENT: agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir) };
  const command = [PROGRAM, "create", "--as", "1.2.0", "--allow-unchanged", "--dry-run", "--json"];
  expect((await agent.run(process.execPath, command, itself)).json().state).toMatchObject({
    mayStop: false,
    notStopped: "It is the agent itself that makes this version.",
  });
  expect(await places()).toEqual(["clerk"]);
});
