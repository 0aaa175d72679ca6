import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import type { Agent } from "../support/agent.js";
import { LIFECYCLE, RUN, type Running, runningAgent, signalledAt } from "./running-agent.js";

/** However long it takes to come up. */
const PATIENT = LIFECYCLE.replace("timeout: 20s", "timeout: 60s").replace("retries: 4", "retries: 200");

/** It comes up as soon as somebody lets it. */
const HELD = RUN.replace("touch", 'until test -e "$KAI_DEPLOYMENT/go"; do sleep 0.02; done; touch');

interface Clones extends Running {
  /** The command in another clone that deploys to the same root. */
  elsewhere(...args: string[]): ReturnType<Agent["kai"]>;
}

/** 1.1.0 comes up when it is let; the others at once. */
async function twoClones(): Promise<Clones> {
  const place = await runningAgent();
  const { agent, version } = place;
  await version("1.0.0", { "kai.yaml": PATIENT, "run.sh": RUN });
  await version("1.1.0", { "run.sh": HELD });
  await version("1.2.0", { "run.sh": RUN });
  const second = path.join(path.dirname(agent.dir), "second");
  agent.git("clone", "--quiet", agent.dir, second);
  const elsewhere = (...args: string[]) => agent.kai("-C", second, ...args);
  expect((await elsewhere("init", "--yes")).exit).toBe(0);
  return { ...place, elsewhere };
}

const linkOf = ({ root }: Running): string => readlinkSync(path.join(root, "current"));

const letGo = ({ root }: Running): void => writeFileSync(path.join(root, "go"), "");

/** What each switch led from and to. */
const told = ({ root }: Running): unknown[] =>
  readFileSync(path.join(root, "rollback.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ event, from, to }) => [event, from, to]);

/** The processes that have the lock of the root open: who holds it, and who waits for it with a flock(1) each. */
function atTheLock({ root }: Running): number[] {
  const linkTo = (file: string) => {
    try {
      return readlinkSync(file);
    } catch {
      return "";
    }
  };
  const namesIn = (folder: string) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  };
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const hasIt = (id: string) =>
    namesIn(`/proc/${id}/fd`).some((name) => linkTo(`/proc/${id}/fd/${name}`).startsWith(path.join(root, ".kai-lock")));
  return processes.filter(hasIt).map(Number);
}

/** Begins a deployment of 1.1.0, and has something done in the other clone while it waits for its agent. */
async function meanwhile(place: Clones, before: string, args: readonly string[], exit = 0) {
  const { agent, events, elsewhere } = place;
  const started = `1.1.0 starts, current ${before}`.trimEnd();
  const first = agent.kai("deploy", "1.1.0", "--json");
  await expect.poll(() => events().at(-1), { timeout: 20_000 }).toBe(started);
  const [holder, ...others] = atTheLock(place);
  expect([typeof holder, others]).toEqual(["number", []]);
  const second = elsewhere(...args, "--json");
  await expect.poll(() => atTheLock(place).length, { timeout: 20_000 }).toBe(3);
  expect(events().at(-1)).toBe(started);
  letGo(place);
  const [done, then] = [await first, await second];
  expect([done.exit, then.exit, done.stderr, then.stderr]).toEqual([0, exit, "", ""]);
  expect([atTheLock(place), readdirSync(place.root).filter((name) => name.startsWith(".kai"))]).toEqual([[], []]);
  return [done.json(), then.json()];
}

test("a deployment waits for that of another clone, and is in place of what that switched to", async () => {
  const place = await twoClones();
  await place.agent.kai("deploy", "1.0.0");
  const [first, second] = await meanwhile(place, "versions/v1.0.0", ["deploy", "1.2.0"]);
  expect([first, second]).toMatchObject([
    { previous: "1.0.0", started: { ok: true }, stopped: { ok: true } },
    { previous: "1.1.0", started: { ok: true }, stopped: { ok: true } },
  ]);
  expect([linkOf(place), await place.versionsThatRun()]).toEqual(["versions/v1.2.0", ["1.2.0"]]);
  expect(place.events()).toEqual([
    "1.0.0 starts, current ",
    "1.1.0 starts, current versions/v1.0.0",
    "1.0.0 stops, current versions/v1.1.0",
    "1.2.0 starts, current versions/v1.1.0",
    "1.1.0 stops, current versions/v1.2.0",
  ]);
  expect(told(place)).toEqual([
    ["deploy", null, "1.0.0"],
    ["deploy", "1.0.0", "1.1.0"],
    ["deploy", "1.1.0", "1.2.0"],
  ]);
});

test("what is deployed is deployed again by one clone while another switches away: the link goes back, and one agent runs", async () => {
  const place = await twoClones();
  await place.agent.kai("deploy", "1.0.0");
  const [, second] = await meanwhile(place, "versions/v1.0.0", ["deploy", "1.0.0"]);
  expect(second).toMatchObject({ previous: "1.1.0", operation: expect.any(String), started: { ok: true } });
  expect([linkOf(place), await place.versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect(told(place).slice(1)).toEqual([
    ["deploy", "1.0.0", "1.1.0"],
    ["deploy", "1.1.0", "1.0.0"],
  ]);
});

test("the first deployments of two clones follow each other, also those of one version", async () => {
  const place = await twoClones();
  const [first, second] = await meanwhile(place, "", ["deploy", "1.1.0"]);
  expect([first, second]).toMatchObject([
    { previous: null, written: true },
    { previous: "1.1.0", written: false, operation: null, started: { ok: true } },
  ]);
  expect([linkOf(place), await place.versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
  expect(place.events()).toHaveLength(1);
  expect(told(place)).toEqual([["deploy", null, "1.1.0"]]);
});

test("a rollback in one clone waits for a deployment in another", async () => {
  const place = await twoClones();
  await place.agent.kai("deploy", "1.0.0");
  const [, back] = await meanwhile(place, "versions/v1.0.0", ["rollback", "1.0.0"]);
  expect(back.plan.deployment).toMatchObject({ from: "1.1.0", to: "1.0.0" });
  expect([linkOf(place), await place.versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect(told(place).slice(1)).toEqual([
    ["deploy", "1.0.0", "1.1.0"],
    ["rollback", "1.1.0", "1.0.0"],
  ]);
});

test("an undo sees what another clone deployed before it, and takes nothing back", async () => {
  const place = await twoClones();
  expect((await place.elsewhere("deploy", "1.0.0")).exit).toBe(0);
  const [, refused] = await meanwhile(place, "versions/v1.0.0", ["undo"], 1);
  expect(refused.error).toMatchObject({
    code: "E125",
    message: expect.stringContaining("1.0.0 is not what is deployed"),
  });
  expect([linkOf(place), await place.versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
});

test("an agent whose deployment was killed does not hold the root, and recovery leaves alone what another clone deployed since", async () => {
  const place = await twoClones();
  const { agent, elsewhere, versionsThatRun } = place;
  await agent.kai("deploy", "1.0.0");
  await signalledAt(place, ["deploy", "1.1.0"], "1.1.0 starts, current versions/v1.0.0");
  expect([await versionsThatRun(), atTheLock(place)]).toEqual([["1.0.0", "1.1.0"], []]);
  const next = await elsewhere("deploy", "1.2.0", "--json");
  expect(next.json()).toMatchObject({ previous: "1.0.0", stopped: { ok: true } });
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.2.0", ["1.2.0"]]);
  expect((await agent.kai("recover", "--json")).json().recovered).toMatchObject([{ outcome: "undone" }]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.2.0", ["1.2.0"]]);
});

test("behind the commit point as well, recovery starts nothing beside what another clone deployed since", async () => {
  const place = await twoClones();
  const { agent, elsewhere, versionsThatRun } = place;
  await agent.kai("deploy", "1.0.0");
  letGo(place);
  await runTraced(agent, ["deploy", "1.1.0"], { match: COMMIT_POINT, after: 1, blow: "all" });
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0", "1.1.0"]]);
  expect((await elsewhere("deploy", "1.2.0")).exit).toBe(0);
  expect((await agent.kai("recover", "--json")).json().error).toMatchObject({ code: "E114" });
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.2.0", ["1.2.0"]]);
});
