import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { entryAt, leftovers } from "../operation/observe.js";
import { COMMIT_POINT, runTraced } from "../operation/run-traced.js";
import { LIFECYCLE, RUN, type Running, runningAgent, signalledAt } from "./running-agent.js";

/** 1.0.0 is deployed and runs; 1.1.0 has these files beside. */
async function deployedAgent(next: Readonly<Record<string, string>>, first = {}): Promise<Running> {
  const place = await runningAgent();
  await place.version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": RUN, ...first });
  await place.version("1.1.0", next);
  expect((await place.agent.kai("deploy", "1.0.0")).exit).toBe(0);
  return place;
}

const linkOf = ({ root }: Running): string => readlinkSync(path.join(root, "current"));

/** Kills the program and its git, not the agents, at its commit point or so many calls behind it. */
const killedAtCommitPoint = ({ agent }: Running, args: readonly string[], after: number) =>
  runTraced(agent, args, { match: COMMIT_POINT, after, blow: "all" });

const SLOW = RUN.replace("touch", "sleep 5; touch");

test("killed while the new agent is not well yet: it is ended, and the old one runs on", async () => {
  const place = await deployedAgent({ "run.sh": SLOW });
  const { agent, versionsThatRun, events } = place;
  await signalledAt(place, ["deploy", "1.1.0"], "1.1.0 starts, current versions/v1.0.0");
  const recovered = (await agent.kai("recover", "--json")).json().recovered;
  expect(recovered).toMatchObject([{ kind: "deploy", outcome: "undone", agent: { ok: true }, ended: { ok: true } }]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  expect(events().filter((line) => line.startsWith("1.0.0"))).toEqual(["1.0.0 starts, current "]);
  expect(leftovers(agent)).toEqual([]);
  expect((await agent.kai("recover", "--json")).json().recovered).toEqual([]);
});

test("killed while an old agent is being stopped that others started: recovery says that it may run on", async () => {
  const stop =
    "  stop: {run: 'echo asked >> $KAI_DEPLOYMENT/events; test -e $KAI_DEPLOYMENT/go || exec sleep 20', timeout: 30s}\n";
  const place = await runningAgent();
  const { agent, root, versionsThatRun } = place;
  await place.version("1.0.0", { "kai.yaml": LIFECYCLE + stop, "run.sh": RUN });
  await place.version("1.1.0", { "logic.py": "new = 1\n" });
  expect((await agent.kai("deploy", "1.0.0", "--no-commands")).exit).toBe(0);
  const byHand = spawn("python3", ["-c", "import time; time.sleep(60)"], {
    cwd: path.join(root, "versions/v1.0.0"),
    stdio: "ignore",
  });
  onTestFinished(() => void byHand.kill("SIGKILL"));
  await signalledAt(place, ["deploy", "1.1.0"], "asked");
  writeFileSync(path.join(root, "go"), "");
  const { recovered } = (await agent.kai("recover", "--json")).json();
  const error = `It may run on, started by others than us: in its folder works python3 (process ${byHand.pid}).`;
  expect(recovered).toMatchObject([{ outcome: "completed", agent: { ok: true }, ended: { ok: false, error } }]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
});

test("the folder of a first deployment that was killed goes, with what the agent wrote there; one that was there before stays", async () => {
  const place = await runningAgent();
  const { agent, root, version, versionsThatRun } = place;
  const writing = (slow: string) =>
    RUN.replace("say starts", "chmod u+w .; touch written; say starts; ").replace('touch "', slow);
  await version("1.0.0", { "kai.yaml": LIFECYCLE, "run.sh": writing('sleep 5; touch "') });
  await signalledAt(place, ["deploy", "1.0.0"], "1.0.0 starts, current");
  const folder = path.join(root, "versions/v1.0.0");
  expect(existsSync(path.join(folder, "written"))).toBe(true);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect([existsSync(folder), await versionsThatRun()]).toEqual([false, []]);
  // Killed before there is a journal, right behind the rename.
  await runTraced(agent, ["deploy", "1.0.0", "--no-commands"], { match: "journal/", after: 0, blow: "all" });
  expect(existsSync(folder)).toBe(true);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(existsSync(folder)).toBe(false);
  for (const args of [["deploy", "1.0.0", "--no-commands"], ["undo"]]) expect((await agent.kai(...args)).exit).toBe(0);
  await killedAtCommitPoint(place, ["deploy", "1.0.0", "--no-commands"], 0);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect(existsSync(folder)).toBe(true);
});

test("the next command that writes does the same", async () => {
  const place = await deployedAgent({ "run.sh": SLOW });
  const { agent, versionsThatRun } = place;
  await signalledAt(place, ["deploy", "1.1.0"], "1.1.0 starts, current versions/v1.0.0");
  const next = await agent.kai("state", "keep", "1.0.0");
  expect(next.stderr).toContain("Took back an interrupted deploy");
  expect(await versionsThatRun()).toEqual(["1.0.0"]);
});

test("killed at the commit point, the new agent well: before it that one ends, behind it the old one", async () => {
  const place = await deployedAgent({ "logic.py": "new = 1\n" });
  const { agent, versionsThatRun, events } = place;
  await killedAtCommitPoint(place, ["deploy", "1.1.0"], 0);
  expect(await versionsThatRun()).toEqual(["1.0.0", "1.1.0"]);
  expect((await agent.kai("recover")).exit).toBe(0);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
  await killedAtCommitPoint(place, ["deploy", "1.1.0"], 1);
  const recovered = String(await agent.kai("recover"));
  expect(recovered).toContain("had happened, and is whole now");
  expect(recovered).toContain("the agent beside it was ended");
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
  // It ran on, and saw the switch before it was asked to end.
  expect(events().filter((line) => line.startsWith("1.0.0"))).toEqual([
    "1.0.0 starts, current ",
    "1.0.0 stops, current versions/v1.1.0",
  ]);
});

test("killed while the old agent is being stopped: recovery stops it by its own command", async () => {
  const stop =
    "  stop: {run: 'echo asked >> $KAI_DEPLOYMENT/events; if test -e $KAI_DEPLOYMENT/go; then touch $KAI_DEPLOYMENT/end-$KAI_VERSION; else exec sleep 20; fi'}\n";
  const ending = RUN.replace("while :;", 'until test -e "$KAI_DEPLOYMENT/end-$KAI_VERSION";');
  const place = await deployedAgent({ "logic.py": "new = 1\n" }, { "kai.yaml": LIFECYCLE + stop, "run.sh": ending });
  const { agent, root, versionsThatRun, events } = place;
  await signalledAt(place, ["deploy", "1.1.0"], "asked");
  writeFileSync(path.join(root, "go"), "");
  const recovered = (await agent.kai("recover", "--json")).json().recovered;
  expect(recovered).toMatchObject([{ outcome: "completed", agent: { ok: true }, ended: { ok: true, forced: null } }]);
  expect(events().filter((line) => line === "asked")).toHaveLength(2);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
  expect(entryAt(agent, "refs/kai/log").kind).toBe("deploy");
  expect(readFileSync(path.join(root, "rollback.log"), "utf8").trimEnd().split("\n")).toHaveLength(2);
  expect(leftovers(agent)).toEqual([]);
});

test("where the new agent has gone and does not come back, the old one is not ended for it", async () => {
  const place = await deployedAgent({
    "run.sh": RUN.replace("say starts", "test ! -e $KAI_DEPLOYMENT/ill || exit 3; say starts"),
  });
  const { agent, root, endAll, versionsThatRun } = place;
  await killedAtCommitPoint(place, ["deploy", "1.1.0"], 1);
  await endAll("1.1.0");
  writeFileSync(path.join(root, "ill"), "");
  rmSync(path.join(root, "well-1.1.0"), { force: true });
  const recovered = (await agent.kai("recover", "--json")).json().recovered;
  expect(recovered).toMatchObject([{ outcome: "completed", agent: { ok: false }, ended: null }]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.0.0"]]);
  rmSync(path.join(root, "ill"));
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect(await versionsThatRun()).toEqual(["1.1.0"]);
});

test("a rollback of the deployment that is killed leaves one agent, that of the version which `current` leads to", async () => {
  const place = await deployedAgent({ "logic.py": "new = 1\n" });
  const { agent, versionsThatRun } = place;
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  for (const [after, version] of [
    [0, "1.1.0"],
    [1, "1.0.0"],
  ] as const) {
    await killedAtCommitPoint(place, ["rollback", "1.0.0"], after);
    expect(await versionsThatRun()).toEqual([]);
    expect((await agent.kai("recover")).exit).toBe(0);
    expect([linkOf(place), await versionsThatRun()]).toEqual([`versions/v${version}`, [version]]);
  }
  for (const [after, version] of [
    [0, "1.0.0"],
    [1, "1.1.0"],
  ] as const) {
    await killedAtCommitPoint(place, ["undo"], after);
    expect((await agent.kai("recover")).exit).toBe(0);
    expect([linkOf(place), await versionsThatRun()]).toEqual([`versions/v${version}`, [version]]);
  }
  expect((await agent.kai("verify", "--all")).exit).toBe(0);
});

test("where somebody moved the branch meanwhile, the deployment goes with the log all the same", async () => {
  const place = await deployedAgent({ "logic.py": "new = 1\n" });
  const { agent, versionsThatRun } = place;
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  await killedAtCommitPoint(place, ["rollback", "1.0.0"], 1);
  const theirs = agent.git("commit-tree", "-p", "HEAD", "-m", "theirs", "HEAD^{tree}");
  agent.write(".git/refs/heads/main", `${theirs}\n`);
  const recovered = await agent.kai("recover", "--json");
  expect([recovered.exit, recovered.json().error]).toMatchObject([4, { code: "E114", conflicts: ["refs/heads/main"] }]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
});

test("a policy that does not stop the agent leaves none running beside the one it starts elsewhere", async () => {
  const policies = "rollback_system: {policies: [{name: start, steps: [{type: start_agent}]}]}\n";
  const place = await deployedAgent({ "logic.py": "new = 1\n" }, { "kai.yaml": LIFECYCLE + policies });
  const { agent, versionsThatRun } = place;
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect((await agent.kai("rollback", "1.0.0")).exit).toBe(0);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0", ["1.0.0"]]);
});

test("a link that somebody else switched meanwhile is left, and so is what runs where it leads", async () => {
  const place = await deployedAgent({ "logic.py": "new = 1\n" });
  const { agent, root, versionsThatRun } = place;
  await killedAtCommitPoint(place, ["deploy", "1.1.0"], 1);
  renameSync(path.join(root, "current"), path.join(root, "before"));
  symlinkSync("versions/v1.0.0/", path.join(root, "current"));
  const recovered = await agent.kai("recover", "--json");
  expect([recovered.exit, recovered.json().error]).toMatchObject([
    4,
    { code: "E114", paths: [path.join(root, "current")] },
  ]);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.0.0/", ["1.0.0", "1.1.0"]]);
  expect((await agent.kai("deploy", "1.1.0")).exit).toBe(0);
  expect([linkOf(place), await versionsThatRun()]).toEqual(["versions/v1.1.0", ["1.1.0"]]);
});

test("a copy of the repository has the journal too, and leaves the agents of the original alone", async () => {
  const place = await deployedAgent({ "logic.py": "new = 1\n" });
  const { agent, versionsThatRun } = place;
  await killedAtCommitPoint(place, ["deploy", "1.1.0"], 0);
  const copy = path.join(path.dirname(agent.dir), "copy");
  cpSync(agent.dir, copy, { recursive: true, verbatimSymlinks: true });
  expect((await agent.kai("-C", copy, "recover", "--json")).json().recovered).toMatchObject([
    { outcome: "undone", ended: null },
  ]);
  expect(await versionsThatRun()).toEqual(["1.0.0", "1.1.0"]);
});
