import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { LIFECYCLE, RUN, type Running, runningAgent } from "../deploy/running-agent.js";
import { observe } from "../operation/observe.js";
import { told } from "../scenarios/place.js";

const TEMP_DIR = "../rehearsals";
const ISOLATION = `snapshot_isolation: {temp_dir: ${TEMP_DIR}}\n`;

/** 1.0.0 and 1.1.0, of which the second is deployed and runs. */
async function deployed(lifecycle = LIFECYCLE, run = RUN): Promise<Running> {
  const running = await runningAgent();
  const yaml = lifecycle + ISOLATION;
  await running.version("1.0.0", {
    "kai.yaml": yaml,
    "run.sh": run,
    "logic.py": "# 1\n",
    ".gitignore": "state.json\n",
  });
  await running.version("1.1.0", { "logic.py": "# 2\n" });
  await told(running.agent, "deploy", "1.1.0");
  return running;
}

/** All that is deployed, and what is left of rehearsals. */
const seen = ({ agent, root }: Running) => ({
  agent: observe(agent),
  current: readlinkSync(path.join(root, "current")),
  log: readFileSync(path.join(root, "rollback.log"), "utf8"),
  beside: readdirSync(root).sort(),
  versions: readdirSync(path.join(root, "versions")),
  rehearsals: existsSync(path.join(agent.dir, TEMP_DIR)) ? readdirSync(path.join(agent.dir, TEMP_DIR)) : [],
});

const stepOf = ({ steps }: { steps: { type: string }[] }, wanted: string) => steps.find(({ type }) => type === wanted);

test("an agent that is deployed is stopped, switched, started and asked in the container, where its deployment lies", async () => {
  const running = await deployed();
  const { agent, root } = running;
  running.events();
  const before = seen(running);
  const { ok, problem, isolation, rollback } = await told(agent, "rollback", "1.0.0", "--rehearse");
  expect([ok, problem, isolation]).toEqual([true, null, "container"]);
  expect(rollback.plan.deployment).toEqual({ root, from: "1.1.0", to: "1.0.0" });
  for (const type of ["stop_agent", "start_agent", "validate_rollback"]) {
    expect(stepOf(rollback, type), type).toMatchObject({ status: "done", remarks: [] });
  }
  expect(seen(running)).toEqual(before);
  expect(await running.versionsThatRun()).toEqual(["1.1.0"]);
  // What was rehearsed is what a rollback does.
  await told(agent, "rollback", "1.0.0");
  expect(running.events().slice(-2)).toEqual([
    "1.1.0 stops, current versions/v1.1.0",
    "1.0.0 starts, current versions/v1.0.0",
  ]);
});

test("that the version which is gone back to would not be well where it is deployed is found, and the one that runs is not met", async () => {
  const running = await runningAgent();
  const { agent } = running;
  const ill = LIFECYCLE.replace("test -e", "test -z here && test -e");
  await running.version("1.0.0", { "kai.yaml": ill + ISOLATION, "run.sh": RUN, "logic.py": "# 1\n" });
  await running.version("1.1.0", { "kai.yaml": LIFECYCLE + ISOLATION, "logic.py": "# 2\n" });
  await told(agent, "deploy", "1.1.0");
  const before = seen(running);
  const ran = await agent.kai("rollback", "1.0.0", "--rehearse", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json()).toMatchObject({ ok: false, problem: { code: "E127" } });
  expect(seen(running)).toEqual(before);
  expect(await running.versionsThatRun()).toEqual(["1.1.0"]);
});

test("the folders beside the deployed versions are there in the copy, empty, and that is said where it fails", async () => {
  const running = await runningAgent();
  const { agent, root } = running;
  await running.version("1.0.0", {
    "kai.yaml": LIFECYCLE + ISOLATION,
    "run.sh": "exit 9\n",
    ".gitignore": "state.json\n",
  });
  await running.version("1.1.0", { "run.sh": `touch "$KAI_DEPLOYMENT/run/$KAI_VERSION" || exit 9\n${RUN}` });
  await running.version("1.2.0", { "run.sh": RUN });
  await told(agent, "deploy", "1.2.0");
  mkdirSync(path.join(root, "run"));
  writeFileSync(path.join(root, "run/mine"), "");
  writeFileSync(path.join(root, "token"), "");
  expect(await told(agent, "rollback", "1.1.0", "--rehearse")).toMatchObject({ ok: true, remarks: [] });
  expect(readdirSync(path.join(root, "run"))).toEqual(["mine"]);
  const failed = (await agent.kai("rollback", "1.0.0", "--rehearse", "--json")).json();
  expect(failed.remarks).toContainEqual(expect.stringMatching(/only its folders, empty: .*run\/, token, /));
});

test("a folder that was changed since it was deployed fails the rehearsal as it would the rollback", async () => {
  const running = await deployed();
  const { agent, root } = running;
  await told(agent, "deploy", "1.0.0");
  await told(agent, "deploy", "1.1.0");
  const folder = path.join(root, "versions/v1.0.0");
  chmodSync(folder, 0o755);
  rmSync(path.join(folder, "logic.py"));
  chmodSync(folder, 0o555);
  const ran = await agent.kai("rollback", "1.0.0", "--rehearse", "--json");
  expect(ran.exit).toBe(1);
  expect(ran.json().problem).toMatchObject({ code: "E102", message: expect.stringContaining("logic.py") });
});
