import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { observe } from "../operation/observe.js";
import { placeAt } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { makeVersion } from "../support/make-version.js";

const KAI_YAML = `agent_id: ai.example.clerk
version_management:
  artifacts:
    state: {include: [state.json, memory.sqlite]}
`;

/** 1.0.0, and 1.1.0 in force, each with what `more` adds to kai.yaml. */
async function agentWith(more: string): Promise<Agent> {
  const agent = await agentWithVersions();
  for (const version of ["1.0.0", "1.1.0"]) {
    agent.write("kai.yaml", `${KAI_YAML}${more}`);
    agent.write("logic.py", `print("${version}")\n`);
    agent.write("state.json", `{"seen": "${version}"}\n`);
    await makeVersion(agent, version, `feat: ${version}`);
  }
  return agent;
}

/** What is left in the folder that copies of this agent are made in. */
const copies = (agent: Agent, folder: string): string[] => readdirSync(path.join(agent.dir, folder));

test("a rehearsal runs the plan on a copy, with its state and its agent, and changes nothing here", async () => {
  const agent = await agentWith(
    'lifecycle: {start: {run: "touch $PWD/started"}, stop: {run: "touch $PWD/stopped; rm $PWD/started"}, health: {run: "ls started"}}\nsnapshot_isolation: {temp_dir: ../rehearsals}\n',
  );
  agent.write("state.json", '{"seen": "since"}\n');
  const before = observe(agent);
  const { rehearsed, ok, problem, rollback } = (await agent.kai("rollback", "1.0.0", "--rehearse", "--json")).json();
  expect([rehearsed, ok, problem]).toEqual([true, true, null]);
  expect(rollback).toMatchObject({ from: "1.1.0", to: "1.0.0", version: "1.0.0", ok: true });
  expect(rollback.steps).toContainEqual(expect.objectContaining({ type: "restore_data", status: "done" }));
  expect(rollback.steps).toContainEqual(expect.objectContaining({ type: "stop_agent", status: "done" }));
  expect(observe(agent)).toEqual(before);
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toBe('{"seen": "since"}\n');
  expect([existsSync(path.join(agent.dir, "started")), existsSync(path.join(agent.dir, "stopped"))]).toEqual([
    false,
    false,
  ]);
  expect(copies(agent, "../rehearsals")).toEqual([]);
});

test("what would fail is said, and ends with 1", async () => {
  const agent = await agentWith(
    'snapshot_isolation: {tests: [{name: answers, kind: functionality, run: "echo no; exit 3"}]}\n',
  );
  const before = observe(agent);
  const ran = await agent.kai("rollback", "1.0.0", "--rehearse");
  expect(ran.exit).toBe(1);
  expect(ran.stdout).toContain("It would fail: the functionality test answers");
  expect(ran.stdout).toContain("Nothing was changed.");
  const none = await agent.kai("rollback", "3.0.0", "--rehearse", "--json");
  expect([none.exit, none.json().problem.code]).toEqual([1, "E101"]);
  expect(observe(agent)).toEqual(before);
});

test("what git ignores is in the copy, too: installed dependencies, settings, and what is deployed", async () => {
  const agent = await agentWith(`deploy: {root: out/deployed}
snapshot_isolation:
  temp_dir: rehearsals
  tests:
    - {name: has all, kind: functionality, run: "cat .env 'lib/a b' && test $(readlink out/deployed/current) = versions/v1.2.0 && test ! -e rehearsals && sqlite3 var/m.sqlite 'select * from t'"}
`);
  agent.write(
    ".gitignore",
    `${readFileSync(path.join(agent.dir, ".gitignore"), "utf8")}.env\n/lib/\n/out/\n/rehearsals/\n/var/\n`,
  );
  agent.write(
    "kai.yaml",
    readFileSync(path.join(agent.dir, "kai.yaml"), "utf8").replace("memory.sqlite", "var/m.sqlite"),
  );
  agent.write(".env", "A=1\n");
  agent.write("lib/a b", "installed\n");
  symlinkSync("a b", path.join(agent.dir, "lib/link"));
  agent.write("var/note", "ignored\n");
  const database = path.join(agent.dir, "var/m.sqlite");
  const live = spawn("sqlite3", [database], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void live.kill());
  live.stdin.write("pragma journal_mode = wal; create table t (n); insert into t values (7); select 'there';\n");
  let said = "";
  while (!said.includes("there")) said += String(await once(live.stdout, "data"));
  await makeVersion(agent, "1.2.0", "feat: more");
  await makeVersion(agent, "1.3.0", "feat: still more");
  expect((await agent.kai("deploy", "1.3.0")).exit).toBe(0);
  const ran = await agent.kai("rollback", "1.2.0", "--rehearse", "--json");
  expect([ran.exit, ran.json().problem]).toEqual([0, null]);
  expect(copies(agent, "rehearsals")).toEqual([]);
});

test("in a clone that has not adopted the log a rehearsal is refused as the rollback is", async () => {
  const agent = await agentWith("");
  const clone = placeAt(path.join(path.dirname(agent.dir), "clone"), agent.env);
  agent.git("clone", "--quiet", agent.dir, clone.dir);
  const at = async (...args: string[]) => (await clone.kai("rollback", "1.0.0", "--json", ...args)).json().error;
  expect(await at("--rehearse")).toEqual(await at());
  expect((await at("--rehearse")).hint).toContain("git kai-version init");
});

test("a temp_dir that the version in force does not have gets no copy, and that is said", async () => {
  const agent = await agentWith("snapshot_isolation: {temp_dir: ../rehearsals}\n");
  const rehearse = async () => (await agent.kai("rollback", "1.0.0", "--rehearse", "--json")).json();
  expect(await rehearse()).toMatchObject({ ok: true, remarks: [] });
  agent.write("kai.yaml", `${KAI_YAML}snapshot_isolation: {temp_dir: ../elsewhere}\n`);
  agent.commit("feat: elsewhere");
  expect(await rehearse()).toMatchObject({
    ok: true,
    remarks: [
      expect.stringMatching(
        /^The copy lay in \/tmp\/kai_snapshots.*: .*v1\.1\.0, which is in force, does not open that \(temp_dir: \.\.\/elsewhere\)\.$/,
      ),
    ],
  });
  expect(existsSync(path.join(agent.dir, "../elsewhere"))).toBe(false);
});
