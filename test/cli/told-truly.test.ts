import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { placeAt, refused, told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

test("key list says which roles the agent around gives each key, and none elsewhere", async () => {
  const agent = await agentWithVersions("1.0.0");
  const roles = ["owner", "releaser", "operator", "tester", "auditor"];
  expect(await told(agent, "key", "list")).toMatchObject({ keys: [{ status: "default", roles }] });
  expect((await agent.kai("key", "list")).stdout).toContain(roles.join(", "));
  const elsewhere = { dir: path.join(agent.dir, "..", "elsewhere"), env: agent.env };
  mkdirSync(elsewhere.dir);
  expect(await told(elsewhere, "key", "list")).toMatchObject({ keys: [{ status: "default", roles: [] }] });
});

test("init of an agent that has another id is refused, log or no log", async () => {
  const agent = await agentWithVersions("1.0.0");
  const error = { code: "E106", message: "kai.yaml says agent_id ai.example.clerk, not other." };
  for (const more of [[], ["--dry-run"]]) {
    expect(await refused(agent, "init", "--agent-id", "other", ...more)).toMatchObject(error);
    expect(await told(agent, "init", "--agent-id", "ai.example.clerk", ...more)).toMatchObject({ outcome: "present" });
  }
});

test("init says the framework of an agent that is one already, and of one that it adopts", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("requirements.txt", "langgraph==0.2.0\n");
  agent.write("langgraph.json", '{"graphs": {"clerk": "./logic.py:graph"}}\n');
  agent.commit("feat: a graph");
  expect(await told(agent, "init")).toMatchObject({ outcome: "present", framework: "langgraph" });
  const { dir, env } = scratch();
  const [clone, bare] = [placeAt(path.join(dir, "clone"), env), placeAt(path.join(dir, "bare.git"), env)];
  execFileSync("git", ["clone", "-q", agent.dir, clone.dir], { env, stdio: "pipe" });
  expect(await told(clone, "init")).toMatchObject({ outcome: "adopted", framework: "langgraph" });
  execFileSync("git", ["clone", "-q", "--mirror", agent.dir, bare.dir], { env, stdio: "pipe" });
  expect(await told(bare, "init")).toMatchObject({ outcome: "adopted", framework: "langgraph" });
});

test("create --dry-run lists the state that would be captured", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("logic.py", "print(2)\n");
  agent.commit("feat: more");
  symlinkSync("state.json", path.join(agent.dir, "memory.sqlite"));
  const foreseen = await told(agent, "create", "--dry-run");
  expect(foreseen.state).toMatchObject({ files: ["state.json"], skipped: ["memory.sqlite"] });
  expect((await agent.kai("create", "--dry-run")).stdout).toContain("with the state state.json");
  expect((await told(agent, "create")).state.files).toEqual(foreseen.state.files);
});

test("verify tells apart what failed and what nobody can prove, and counts each once", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("tag", "v0.1.0");
  const { versions, ...counts } = await told(agent, "verify", "--all");
  expect(counts).toMatchObject({ ok: true, total: 2, failed: 0, unproven: 1 });
  const failed = versions.filter((each: { ok: boolean; unproven: boolean }) => !each.ok && !each.unproven);
  expect(failed).toHaveLength(counts.failed);
  expect(versions).toMatchObject([
    { version: "0.1.0", foreign: true, ok: false, unproven: true },
    { version: "1.0.0", foreign: false, ok: true, unproven: false },
  ]);
  expect(await refused(agent, "verify", "--all", "1.0.0")).toMatchObject({ code: "E122", exit: 2 });
});

test("without change_detection nothing asks for a bump, and what was found is told all the same", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write(
    "kai.yaml",
    "agent_id: ai.example.clerk\nversion_management: {semantic_versioning: {change_detection: false}}\n",
  );
  agent.commit("feat!: another way to answer");
  const next = await told(agent, "next");
  expect(next).toMatchObject({
    required: "none",
    changeDetection: false,
    next: "1.0.1",
    reasons: [{ level: "major" }],
  });
  expect((await agent.kai("next")).stdout).toContain(
    "change_detection is off, so nothing that changed asks for a bump",
  );
  const created = await told(agent, "create");
  expect(created).toMatchObject({ version: "1.0.1", required: "none" });
  expect(created.record.compatibility).toEqual({ required: "none", backward: [], forward: [] });
});

test("what became of a version is what was done with it, not with those after it", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const became = async (version: string) =>
    (await told(agent, "show", version)).operations.map(({ subject }: { subject: string }) => subject);
  expect(await became("1.1.0")).toEqual(["create v1.1.0"]);
  await told(agent, "rollback", "1.1.0");
  agent.write("logic.py", "print(3)\n");
  agent.commit("fix: more");
  await told(agent, "create", "--no-current");
  expect(await became("1.1.0")).toEqual(["create v1.1.0", "rollback v1.2.0 -> v1.1.0"]);
  expect(await became("1.2.0")).toEqual(["create v1.2.0", "rollback v1.2.0 -> v1.1.0"]);
  expect(await became("1.2.1")).toEqual(["create v1.2.1"]);
});

test("a default key that names none is told as such, and no other is made in its place", async () => {
  const agent = await agentWithVersions("1.0.0");
  const file = path.join(String(agent.env["KAI_HOME"]), "keys", "default");
  writeFileSync(file, "junk\n");
  for (const args of [
    ["create", "--allow-unchanged"],
    ["init", "--new-root", "--yes"],
  ]) {
    if (args[0] === "init") agent.git("update-ref", "-d", "refs/kai/log");
    const { code, message, hint } = await refused(agent, ...args);
    expect([code, message]).toEqual(["E123", expect.stringContaining(`${file} names no key`)]);
    expect(hint).toContain("`git kai-version key list`");
  }
});

test("a wrong passphrase is told with what to do", async () => {
  const { dir, env } = scratch();
  const place = placeAt(dir, { ...env, KAI_KEY_PASSPHRASE: "right" });
  execFileSync("git", ["init", "-q", "-b", "main", dir], { env });
  await told(
    place,
    "key",
    "generate",
    "--name",
    "Ada",
    "--email",
    "ada@example.com",
    "--passphrase-env",
    "KAI_KEY_PASSPHRASE",
  );
  place.write("logic.py", "print(1)\n");
  place.commit("feat: answer");
  const wrong = { dir, env: { ...place.env, KAI_KEY_PASSPHRASE: "wrong" } };
  expect(await refused(wrong, "init")).toMatchObject({
    code: "E111",
    hint: expect.stringContaining("KAI_KEY_PASSPHRASE"),
  });
});

test("kai's own help names the agent, and help in JSON is JSON wherever --json stands", async () => {
  const { dir, env } = scratch();
  const place = placeAt(dir, env);
  expect((await place.run("kai", ["--help"])).stdout).toContain("kai [--json] [--quiet] <command> <agent>");
  expect((await place.kai("--help")).stdout).toContain("git kai-version [-C DIR]");
  for (const args of [
    ["list", "--json", "--help"],
    ["--json", "list", "--help"],
    ["help", "list", "--json"],
  ]) {
    const { commands, help } = (await place.kai(...args)).json();
    expect(commands).toEqual([{ name: "list", summary: "List the versions there are" }]);
    expect(help).toContain("Usage: git kai-version list [options]");
  }
  expect((await place.kai("list", "--help")).stdout).toMatch(/^Usage: git kai-version list/);
});
