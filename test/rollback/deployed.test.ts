import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { LIFECYCLE, RUN, runningAgent } from "../deploy/running-agent.js";
import { leftovers, observe } from "../operation/observe.js";
import { agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

test("a rollback and its undo switch the deployment with the version", async () => {
  const agent = await agentWithVersions();
  const root = path.join(path.dirname(agent.dir), "deployed");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\n");
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("${version}")\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  const link = () => readlinkSync(path.join(root, "current"));
  // Nothing is deployed yet: a rollback does not begin to.
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(() => link()).toThrow();
  expect((await agent.kai("undo")).exit).toBe(0);
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  const rolledBack = (await agent.kai("rollback", "1.0.0", "--force", "--json")).json();
  expect(rolledBack.plan.deployment).toEqual({ root, from: "1.1.0", to: "1.0.0" });
  expect(link()).toBe("versions/v1.0.0");
  expect(readFileSync(path.join(root, "current", "logic.py"), "utf8")).toBe('print("1.0.0")\n');
  expect(String(await agent.kai("undo"))).toContain("  deployed   1.0.0 -> 1.1.0\n");
  expect(link()).toBe("versions/v1.1.0");
  const events = readFileSync(path.join(root, "rollback.log"), "utf8").trim().split("\n");
  expect(events.map((line) => JSON.parse(line)).map(({ event, from, to }) => [event, from, to])).toEqual([
    ["deploy", null, "1.1.0"],
    ["rollback", "1.1.0", "1.0.0"],
    ["undo", "1.0.0", "1.1.0"],
  ]);
  const logged = (await agent.kai("log", "--kind", "rollback", "--json")).json().operations[0];
  expect(logged.id).toBe(rolledBack.operation);
});

test("the commands of a rollback run in the deployment as those of deploy do", async () => {
  const agent = await agentWithVersions();
  const root = path.join(path.dirname(agent.dir), "deployed");
  const start = 'echo "$KAI_VERSION in $KAI_DEPLOYMENT at $PWD" >> "$KAI_DEPLOYMENT/started"';
  agent.write(
    "kai.yaml",
    JSON.stringify({ agent_id: "ai.example.clerk", deploy: { root }, lifecycle: { start: { run: start } } }),
  );
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("${version}")\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  const back = await agent.kai("rollback", "1.0.0");
  expect(back.exit, String(back)).toBe(0);
  expect(readFileSync(path.join(root, "started"), "utf8").trimEnd().split("\n")).toEqual(
    ["1.1.0", "1.0.0"].map((version) => `${version} in ${root} at ${root}/versions/v${version}`),
  );
});

test("the agent that is deployed is stopped by its own version's commands, which are told where it is", async () => {
  const { agent, root, version, events, versionsThatRun } = await runningAgent();
  const stop = (says: string) => `  stop: {run: 'echo $KAI_VERSION ${says} >> $KAI_DEPLOYMENT/events', timeout: 2s}\n`;
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "kai.yaml": LIFECYCLE + stop("is asked") });
  await version("1.2.0", { "kai.yaml": LIFECYCLE + stop("is not deployed") });
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect((await agent.kai("rollback", "1.0.0", "--json")).json().error).toBeUndefined();
  expect(events().filter((line) => line.includes(" is "))).toEqual(["1.1.0 is asked"]);
  expect([readlinkSync(path.join(root, "current")), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect((await agent.kai("status", "--json")).json().deployment).toMatchObject({ version: "1.0.0", problem: null });
  expect(readFileSync(path.join(root, "agent.log"), "utf8").match(/^answer/gm)).toHaveLength(2);
  expect((await agent.kai("rollback", "--when", "health == 0", "--json")).json()).toMatchObject({ triggered: false });
});

test("a folder that a rollback has to write is installed whatever the policy says", async () => {
  const { agent, root, version } = await runningAgent();
  const policies = "rollback_system: {policies: [{name: files, steps: [{type: restore_code}]}]}\n";
  const config =
    "agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\nlifecycle: {install: {run: 'echo $KAI_DEPLOYMENT > made'}}\n";
  await version("1.0.0", { "kai.yaml": config + policies });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(readFileSync(path.join(root, "current/made"), "utf8")).toBe(`${root}\n`);
});

test("undo of a rollback puts back what was deployed before, whatever was in force and whatever kai.yaml says", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  // Which says nothing of a deployment.
  await version("1.0.0", { "kai.yaml": "agent_id: ai.example.clerk\n", "run.sh": RUN });
  await version("1.1.0", { "kai.yaml": LIFECYCLE });
  await version("1.2.0", { "logic.py": "new = 2\n" });
  const link = () => readlinkSync(path.join(root, "current"));
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect([link(), await versionsThatRun()]).toEqual(["versions/v1.0.0", []]);
  expect((await agent.kai("undo")).exit).toBe(0);
  expect([link(), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
  expect((await agent.kai("current", "--json")).json().version).toBe("1.2.0");
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});

test("undo of what switched no deployment leaves it and what runs there, whatever is in force then", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n", "prompts/system.md": "Be kind.\n" });
  await version("1.2.0", { "logic.py": "new = 2\n", "prompts/system.md": "Be brief.\n" });
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  const deployed = async () => [readlinkSync(path.join(root, "current")), await versionsThatRun()];
  const edit = (text: string) => {
    agent.write("logic.py", text);
    agent.commit("feat: more");
  };
  const operations: [...string[]][] = [
    ["create", "--as", "1.3.0"],
    ["create", "--as", "1.4.0", "--no-current"],
    ["rollback", "1.1.0", "--component", "prompts"],
    ["rollback", "1.1.0", "--path", "logic.py"],
    ["rollback", "1.0.0", "--keep-state"],
  ];
  for (const args of operations) {
    if (args[0] === "create") edit(`new = "${args[2]}"\n`);
    const done = await agent.kai(...args);
    expect([args, done.exit, done.stderr]).toEqual([args, 0, ""]);
    expect([args, await deployed()]).toEqual([args, ["versions/v1.0.0", ["1.0.0"]]]);
    const undone = await agent.kai("undo");
    expect([args, undone.exit, undone.stderr]).toEqual([args, 0, ""]);
    expect(undone.stdout).toContain("  deployed   1.0.0 stays\n");
    expect([args, await deployed()]).toEqual([args, ["versions/v1.0.0", ["1.0.0"]]]);
  }
  expect(existsSync(path.join(root, "versions/v1.2.0"))).toBe(false);
});

test("where nothing but the deployment is switched the agent is stopped and started all the same", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN, "logic.py": "one = 1\n" });
  await version("1.1.0", { "logic.py": "two = 2\n" });
  // The same files as 1.0.0.
  await version("1.2.0", { "logic.py": "one = 1\n" });
  expect((await agent.kai("deploy", "1.2.0")).exit).toBe(0);
  const deployed = async () => [readlinkSync(path.join(root, "current")), await versionsThatRun()];
  const back = (await agent.kai("rollback", "1.0.0", "--keep-state", "--json")).json();
  expect([back.error, await deployed()]).toEqual([undefined, ["versions/v1.0.0", ["1.0.0"]]]);
  const undone = (await agent.kai("undo", "--json")).json();
  expect([undone.error, await deployed()]).toEqual([undefined, ["versions/v1.2.0", ["1.2.0"]]]);
});

test("what was deployed behind an operation stays when that is undone, and the plan says so", async () => {
  const { agent, link } = await deployedTwice();
  const { operation } = (await agent.kai("create", "--as", "1.2.0", "--allow-unchanged", "--json")).json();
  expect((await agent.kai("deploy", "current")).exit).toBe(0);
  const { plan } = (await agent.kai("undo", operation, "--json")).json();
  expect(plan.deployment).toMatchObject({ from: "1.2.0", to: "1.2.0" });
  expect(plan.risks).toContainEqual({
    kind: "deployment_stays",
    severity: "medium",
    message: "1.2.0 stays deployed: `deploy current` puts there what is in force then",
  });
  expect(link()).toBe("versions/v1.2.0");
});

test("a deployment that was switched since, also to the same version again, stays when a rollback is undone", async () => {
  const { agent, link } = await deployedTwice();
  expect((await agent.kai("create", "--as", "1.2.0", "--allow-unchanged")).exit).toBe(0);
  const { operation } = (await agent.kai("rollback", "1.0.0", "--json")).json();
  for (const version of ["1.1.0", "1.0.0"]) expect((await agent.kai("deploy", version)).exit).toBe(0);
  expect((await agent.kai("undo", operation)).exit).toBe(0);
  expect(link()).toBe("versions/v1.0.0");
});

test("a way out of a rollback that was not well puts back what was deployed before", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN });
  await version("1.1.0", { "run.sh": "#!/bin/sh\nexit 1\n" });
  await version("1.2.0", { "run.sh": RUN });
  expect((await agent.kai("deploy", "1.0.0")).exit).toBe(0);
  expect((await agent.kai("rollback", "1.1.0", "--json")).json().error).toMatchObject({
    code: "E127",
    recovered: { strategy: "emergency_snapshot", to: "1.2.0" },
  });
  expect([readlinkSync(path.join(root, "current")), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
});

test("an agent whose folder was removed is ended all the same, and the deployment goes back", async () => {
  const { agent, root, version, versionsThatRun } = await runningAgent();
  const stop = "  stop: {run: 'cat logic.py && kill 0'}\n";
  await version("1.0.0", { "kai.yaml": LIFECYCLE + stop, "run.sh": RUN });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  renameSync(path.join(root, "versions/v1.1.0"), path.join(root, "lost"));
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect([readlinkSync(path.join(root, "current")), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
});

/** 1.0.0 and 1.1.0 are deployed, nothing runs; with its root, and what `current` says. */
async function deployedTwice() {
  const agent = await agentWithVersions();
  const root = path.join(path.dirname(agent.dir), "deployed");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../deployed}\n");
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("logic.py", `print("${version}")\n`);
    await makeVersion(agent, version, `feat: ${version}`);
    expect((await agent.kai("deploy", version)).exit).toBe(0);
  }
  return { agent, root, link: () => readlinkSync(path.join(root, "current")) };
}

test("a folder that was pruned is written anew; one that was changed refuses the rollback, whatever its type", async () => {
  const { agent, root, link } = await deployedTwice();
  renameSync(path.join(root, "versions/v1.0.0"), path.join(root, "pruned"));
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(readFileSync(path.join(root, "current/logic.py"), "utf8")).toBe('print("1.0.0")\n');
  expect((await agent.kai("undo")).exit).toBe(0);
  chmodSync(path.join(root, "versions/v1.0.0/logic.py"), 0o755);
  const before = observe(agent);
  for (const type of ["version", "emergency"]) {
    const refused = await agent.kai("rollback", "1.0.0", "--type", type, "--json");
    expect([refused.exit, refused.json().error]).toMatchObject([1, { code: "E102", paths: ["logic.py"] }]);
    expect([observe(agent), leftovers(agent), link()]).toEqual([before, [], "versions/v1.1.0"]);
  }
});

test("a `current` that is none of ours any more: a link elsewhere is left, anything else refuses", async () => {
  const { agent, root, link } = await deployedTwice();
  const current = path.join(root, "current");
  rmSync(current);
  mkdirSync(current);
  const before = observe(agent);
  for (const args of [["rollback", "1.0.0"], ["undo"]]) {
    expect([args, (await agent.kai(...args, "--json")).json().error.code]).toEqual([args, "E125"]);
  }
  expect([observe(agent), leftovers(agent)]).toEqual([before, []]);
  rmSync(current, { recursive: true });
  symlinkSync("elsewhere", current);
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect(link()).toBe("elsewhere");
  expect((await agent.kai("undo")).exit).toBe(0);
  expect(link()).toBe("elsewhere");
});
