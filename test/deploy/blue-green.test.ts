import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { entryAt, leftovers } from "../operation/observe.js";
import { LIFECYCLE, RUN, runningAgent, signalledAt } from "./running-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("the new version is well before the switch, and the old one ends after it", async () => {
  const { agent, root, version, events, running } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  const first = (await agent.kai("deploy", "1.0.0", "--json")).json();
  expect(first).toMatchObject({ started: { ok: true, error: null }, stopped: null });
  expect(await running("1.0.0")).toBeGreaterThan(0);
  const second = (await agent.kai("deploy", "1.1.0", "--json")).json();
  expect(second).toMatchObject({ previous: "1.0.0", started: { ok: true }, stopped: { ok: true, error: null } });
  expect(events()).toEqual([
    "1.0.0 starts, current ",
    "1.1.0 starts, current versions/v1.0.0",
    "1.0.0 stops, current versions/v1.1.0",
  ]);
  expect([await running("1.0.0"), (await running("1.1.0")) > 0]).toEqual([0, true]);
  expect(leftovers(agent)).toEqual([]);
  expect((await loadDeployment(path.join(root, "current"))).version).toBe("1.1.0");
});

test("a version that is not well changes nothing: the old one runs on, and the log tells of it", async () => {
  const { agent, root, version, running } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "run.sh": RUN.replace("touch", "echo sick: ") });
  await version("1.2.0", { "run.sh": "#!/bin/sh\necho no memory left\nexit 3\n" });
  await agent.kai("deploy", "1.0.0");
  for (const [number, says] of [
    ["1.1.0", "sick"],
    ["1.2.0", "no memory left"],
  ] as const) {
    const refused = await agent.kai("deploy", number, "--json");
    expect(refused.exit).toBe(1);
    expect(refused.json().error).toMatchObject({ code: "E126", command: "lifecycle.start" });
    expect(refused.json().error.output).toContain(says);
    const entry = entryAt(agent, "refs/kai/log");
    expect([entry.kind, entry.details]).toMatchObject(["outcome", { kind: "deploy", ok: false, version: number }]);
    expect(readlinkSync(path.join(root, "current"))).toBe("versions/v1.0.0");
    expect([(await running("1.0.0")) > 0, await running(number)]).toEqual([true, 0]);
  }
  expect(await agent.kai("deploy", "1.2.0")).toMatchInlineSnapshot(`
    answer of 0.9.0
    no memory left
    Error E126: \`lifecycle.start\` of v1.2.0 failed: It ended with status 3: no memory left
    Hint: The link was not switched, and what ran before, if anything did, runs on.
    [exit 1]
  `);
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
  expect(readFileSync(path.join(root, "rollback.log"), "utf8").trimEnd().split("\n")).toHaveLength(1);
});

test("deploying what is deployed starts it where it does not run, and leaves it alone where it does", async () => {
  const { agent, version, events, running } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  expect((await agent.kai("deploy", "1.0.0", "--no-commands", "--json")).json()).toMatchObject({ started: null });
  expect(await running("1.0.0")).toBe(0);
  const again = () => agent.kai("deploy", "1.0.0", "--json");
  expect((await again()).json()).toMatchObject({ operation: null, started: { ok: true } });
  expect((await again()).json()).toMatchObject({ operation: null, started: { ok: true } });
  expect(events()).toHaveLength(1);
});

test("Ctrl-C before the switch takes all back: what was started is ended, the old one runs on", async () => {
  const place = await runningAgent();
  const { agent, root, version, versionsThatRun } = place;
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "run.sh": RUN.replace("touch", "sleep 60; touch") });
  await agent.kai("deploy", "1.0.0");
  const before = agent.git("rev-parse", "refs/kai/log");
  const started = "1.1.0 starts, current versions/v1.0.0";
  expect(await signalledAt(place, ["deploy", "1.1.0"], started, "SIGINT")).toBe("SIGINT");
  expect([await versionsThatRun(), leftovers(agent)]).toEqual([["1.0.0"], []]);
  expect([readlinkSync(path.join(root, "current")), agent.git("rev-parse", "refs/kai/log")]).toEqual([
    "versions/v1.0.0",
    before,
  ]);
  expect((await agent.kai("recover", "--json")).json().recovered).toEqual([]);
});

test("a health command that the old agent answers is told to say nothing of the new one", async () => {
  const { agent, version, versionsThatRun } = await runningAgent();
  const anybody = LIFECYCLE.replace("well-$KAI_VERSION", "well-1.0.0");
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "kai.yaml": anybody });
  expect((await agent.kai("deploy", "1.0.0", "--json")).json().started.answeredBefore).toBe(false);
  const deployed = await agent.kai("deploy", "1.1.0");
  expect(deployed.stderr).toContain("lifecycle.health passed before the new agent was started");
  expect(await versionsThatRun()).toEqual(["1.1.0"]);
});

test("where something answers for health before the first deployment, it is said that another agent may run", async () => {
  const { agent, root, version } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  mkdirSync(root);
  writeFileSync(path.join(root, "well-1.0.0"), "");
  const deployed = await agent.kai("deploy", "1.0.0");
  expect([deployed.exit, deployed.stderr]).toEqual([0, expect.stringContaining("another one may run already")]);
});

test("git's index is not held while an agent comes up, and a commit meanwhile is none of its business", async () => {
  const { agent, version } = await runningAgent();
  const commits =
    "  health: {run: 'git -C ../../../clerk -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m meanwhile', timeout: 5s}\n";
  await version("1.0.0", { "kai.yaml": LIFECYCLE.replace(/ {2}health.*\n/, commits), "run.sh": RUN });
  expect(await agent.kai("deploy", "1.0.0")).toMatchObject({ exit: 0 });
  expect(agent.git("log", "-1", "--format=%s")).toBe("meanwhile");
});

test("a folder that is written anew has its agent started anew, which ran on what was moved away", async () => {
  const { agent, root, version, processes, events } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await agent.kai("deploy", "1.0.0");
  const [before] = await processes("1.0.0");
  renameSync(path.join(root, "versions/v1.0.0"), path.join(root, "changed"));
  expect((await agent.kai("deploy", "1.0.0", "--json")).json()).toMatchObject({ written: true, started: { ok: true } });
  expect(await processes("1.0.0")).not.toContain(before);
  expect(events()).toEqual([
    "1.0.0 starts, current ",
    "1.0.0 stops, current versions/v1.0.0",
    "1.0.0 starts, current versions/v1.0.0",
  ]);
});

test("what is installed is part of the deployment, and checked like the rest", async () => {
  const { agent, root, version } = await runningAgent();
  const install =
    "  install: {run: 'mkdir -p lib/deep && echo of $KAI_VERSION > lib/deep/made && ln -s deep/made lib/link && echo told'}\n";
  await version("1.0.0", {
    "kai.yaml": `agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\nlifecycle:\n${install}`,
  });
  expect((await agent.kai("deploy", "1.0.0", "--json")).json()).toMatchObject({ written: true, started: null });
  const folder = path.join(root, "versions/v1.0.0");
  expect(readFileSync(path.join(folder, "lib/deep/made"), "utf8")).toBe("of 1.0.0\n");
  expect((await loadDeployment(folder)).installed).toEqual(["lib/deep/made", "lib/link"]);
  expect((await agent.kai("status", "--json")).json().deployment).toMatchObject({ version: "1.0.0", problem: null });
  chmodSync(path.join(folder, "lib/deep"), 0o755);
  chmodSync(path.join(folder, "lib/deep/made"), 0o644);
  appendFileSync(path.join(folder, "lib/deep/made"), "more\n");
  await expect(loadDeployment(folder)).rejects.toMatchObject({ data: { paths: ["lib/deep/made"] } });
  // A seal that was made to fit is not the one that the log tells of.
  rmSync(path.join(folder, "lib/deep/made"));
  rmSync(path.join(folder, "lib/link"));
  const seal = path.join(folder, ".kai-deployment.json");
  const { installed: _, ...rest } = JSON.parse(readFileSync(seal, "utf8"));
  chmodSync(folder, 0o755);
  rmSync(seal);
  const { format, record, state, tag } = rest;
  writeFileSync(seal, `${JSON.stringify({ format, installed: [], record, state, tag })}\n`);
  expect((await loadDeployment(folder)).installed).toEqual([]);
  expect((await agent.kai("status", "--json")).json().deployment).toMatchObject({ problem: { code: "E102" } });
});

test("an install command that fails, or changes the version's own files, leaves no deployment", async () => {
  const { agent, root, version } = await runningAgent();
  const config = (run: string) =>
    `agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\nlifecycle: {install: {run: '${run}'}}\n`;
  await version("1.0.0", { "kai.yaml": config("echo no network >&2; exit 7") });
  await version("1.1.0", { "kai.yaml": config("echo more >> logic.py") });
  await version("1.2.0", { "kai.yaml": config("mkfifo pipe") });
  const failed = (await agent.kai("deploy", "1.0.0", "--json")).json().error;
  expect(failed).toMatchObject({ code: "E126", command: "lifecycle.install", output: "no network\n" });
  expect((await agent.kai("deploy", "1.1.0", "--json")).json().error).toMatchObject({
    code: "E126",
    paths: ["logic.py"],
  });
  expect((await agent.kai("deploy", "1.2.0", "--json")).json().error).toMatchObject({ code: "E126" });
  expect(existsSync(path.join(root, "current"))).toBe(false);
  expect((await agent.run("ls", ["-A", path.join(root, "versions")])).stdout).toBe("");
  expect(leftovers(agent)).toEqual([]);
});

test("in a clone that took its trust root as it came, the commands of a version that one signed oneself run", async () => {
  const { agent, version, running } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  const trust = path.join(agent.dir, ".git/kai/trust.json");
  writeFileSync(trust, readFileSync(trust, "utf8").replace('"founded"', '"first-use"'));
  const home = String(agent.env["KAI_HOME"]);
  const secret = readdirSync(path.join(home, "keys")).find((name) => name.endsWith(".asc")) ?? "";
  // As CI has it: the key is in the environment alone.
  const given = {
    KAI_HOME: path.join(home, "none"),
    KAI_SIGNING_KEY: readFileSync(path.join(home, "keys", secret), "utf8"),
  };
  const deployed = await agent.run(process.execPath, [PROGRAM, "deploy", "1.0.0", "--json"], given);
  expect(deployed.json()).toMatchObject({ started: { ok: true } });
  expect(await running("1.0.0")).toBeGreaterThan(0);
});

test("an old agent that others started, and that its stop does not end, is told of", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  const stop = "  stop: {run: 'false || true', timeout: 2s}\n";
  await version("1.0.0", { "kai.yaml": LIFECYCLE + stop, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.0.0", "--no-commands")).exit).toBe(0);
  const byHand = spawn("python3", ["-c", "import time; time.sleep(60)"], {
    cwd: path.join(root, "current"),
    stdio: "ignore",
  });
  onTestFinished(() => void byHand.kill("SIGKILL"));
  const error = `It may run on, started by others than us: in its folder works python3 (process ${byHand.pid}).`;
  const deployed = await agent.kai("deploy", "1.1.0", "--json");
  expect(deployed.json()).toMatchObject({ previous: "1.0.0", started: { ok: true }, stopped: { ok: false, error } });
  byHand.kill("SIGKILL");
  // Nothing of it is left.
  expect((await agent.kai("undo", "--json")).json().deployment.stopped).toMatchObject({ ok: true, error: null });
  expect(await versionsThatRun()).toEqual(["1.0.0"]);
});
