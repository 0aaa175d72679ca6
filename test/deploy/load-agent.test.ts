import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { rollBack } from "../../src/rollback/rollback.js";
import { initAgent } from "../../src/version/init.js";
import { scratch } from "../support/scratch.js";
import { agentInForce, FILES, refusal } from "./loading.js";
import { smallAgent } from "./small-agent.js";

const NOW = new Date("2026-03-03T10:00:00Z");

test("gives configuration and captured state of the version in force", async () => {
  const agent = await agentInForce();
  agent.write({ "state.json": '{"asked": 77}\n', "data/handbook.md": "# Live data\n", "notes.txt": "mine\n" });
  const loaded = await loadAgent(path.join(agent.dir, "prompts"), { now: () => NOW });
  expect(loaded).toMatchObject({
    agentId: "ai.example.small",
    version: "1.0.0",
    commit: agent.git("rev-parse", "v1.0.0^{commit}"),
    hash: /^Kai-Hash: (.*)$/m.exec(agent.git("cat-file", "tag", "v1.0.0"))?.[1],
    config: { agent_id: "ai.example.small", version_management: { artifacts: { state: { include: ["state.json"] } } } },
    state: { files: [{ path: "state.json", mode: "100644", size: 13 }] },
    unchecked: [],
    verifiedAt: NOW,
  });
  expect((await loaded.state?.files[0]?.read())?.toString()).toBe('{"asked": 1}\n');
});

test("follows a rollback, also when everything is packed", async () => {
  const agent = await agentInForce();
  agent.commit("fix: other words", { "prompts/answer.md": "Answer!\n" });
  await agent.create();
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.1" });
  const caller = { cwd: agent.dir, env: agent.env, now: () => NOW, progress: () => {}, onRecovered: () => {} };
  await rollBack(caller, { to: "1.0.0" });
  agent.git("gc", "--quiet", "--prune=now");
  agent.git("pack-refs", "--all");
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0", state: { files: [{ path: "state.json" }] } });
});

test("a clone that has adopted the log is loaded as well", async () => {
  const agent = await agentInForce({ "data/handbook.md": "# Handbook\n" });
  const { dir, env } = scratch();
  execFileSync("git", ["clone", "--quiet", agent.dir, "clone"], { cwd: dir, env });
  const clone = path.join(dir, "clone");
  expect(await refusal(clone)).toMatchObject({ code: "E121", hint: expect.stringContaining("git kai-version init") });
  const openOrMakeKey = () => Promise.reject(new Error("no key is needed"));
  const caller = { cwd: clone, env, now: () => NOW, progress: () => {}, onRecovered: () => {}, openOrMakeKey };
  await initAgent(caller, { agentId: undefined, commit: true, newRoot: false });
  writeFileSync(path.join(clone, "data", "handbook.md"), "# Mine\n");
  const loaded = await loadAgent(clone);
  expect((await loaded.state?.files[0]?.read())?.toString()).toBe('{"asked": 1}\n');
});

test("an agent without state has none", async () => {
  const agent = await smallAgent({ "logic.py": "1\n" });
  await agent.create();
  expect(await loadAgent(agent.dir)).toMatchObject({ state: null });
});

test("works where there is no git at all, and starts no process", async () => {
  const agent = await agentInForce();
  const { dir } = scratch();
  const library = new URL("../../dist/index.js", import.meta.url).href;
  const script = path.join(dir, "load.mjs");
  writeFileSync(
    script,
    `import children from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
  children[name] = () => { throw new Error(name + " was called"); };
}
syncBuiltinESMExports();
const { loadAgent, KaiError } = await import(${JSON.stringify(library)});
const { version, config, state } = await loadAgent(process.argv[2]);
console.log(version, config.agent_id, state.files[0].path, (await state.files[0].read()).toString().trim());
process.exitCode = await loadAgent("/").then(() => 1, (error) => (error instanceof KaiError && error.code === "E104" ? 0 : 1));
`,
  );
  const run = spawnSync(process.execPath, [script, agent.dir], { env: { PATH: dir }, encoding: "utf8" });
  expect({ out: run.stdout, err: run.stderr, status: run.status }).toEqual({
    out: '1.0.0 ai.example.small state.json {"asked": 1}\n',
    err: "",
    status: 0,
  });
});

test("repositories that it does not read are refused plainly", async () => {
  const { dir, env } = scratch();
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, env });
  git("init", "--quiet", "--object-format=sha256", "new");
  git("init", "--quiet", "--bare", "bare");
  const agent = await agentInForce();
  agent.git("worktree", "add", "--quiet", path.join(dir, "linked"), "HEAD");
  expect(await refusal(path.join(dir, "new"))).toMatchObject({
    code: "E120",
    message: "The loader does not read SHA256 repositories.",
  });
  expect(await refusal(path.join(dir, "bare"))).toMatchObject({ code: "E120" });
  expect(await refusal(path.join(dir, "linked"))).toMatchObject({ code: "E120" });
  agent.git("config", "extensions.refStorage", "reftable");
  expect(await refusal(agent.dir)).toMatchObject({ code: "E120" });
});

test("nothing is loaded where nothing was pinned, or nothing is in force", async () => {
  const agent = await smallAgent(FILES);
  expect(await refusal(agent.dir)).toMatchObject({ code: "E105", message: "No version is in force yet." });
  rmSync(path.join(agent.dir, ".git/kai/trust.json"));
  expect(await refusal(agent.dir)).toMatchObject({ code: "E121" });
});

test("an interrupted operation is named as what has to be ended first", async () => {
  const agent = await agentInForce();
  agent.write({ "logic.py": "print('half way')\n" });
  mkdirSync(path.join(agent.dir, ".git/kai/journal/01M7XZCSPT5JGCE24B25TMA3P0"));
  expect((await refusal(agent.dir)).hint).toContain("git kai-version recover");
});
