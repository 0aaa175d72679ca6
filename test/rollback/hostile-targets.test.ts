import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leftovers, observe } from "../operation/observe.js";
import { placeAt, refused, told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { kaiYaml, liveAgent, START } from "./live-agent.js";

/** Makes a tag object of these bytes and puts a ref on it. */
function putTag(agent: Agent, name: string, content: string): void {
  const input = { cwd: agent.dir, env: agent.env, input: content, encoding: "utf8" } as const;
  const id = execFileSync("git", ["hash-object", "-t", "tag", "-w", "--literally", "--stdin"], input).trim();
  agent.git("update-ref", `refs/tags/${name}`, id);
}

/** The tag of 1.0.0 with another text, so that it is no version of ours, under the signature of the old one. */
const signedForAnother = (agent: Agent) =>
  `${agent.git("cat-file", "tag", "v1.0.0")}\n`.replace(/\n\n[\s\S]*?(?=-----BEGIN)/, "\n\nby hand\n");

test("a tag whose signature is bad is refused even with --unproven", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  putTag(agent, "v0.5.0", signedForAnother(agent).replace("\ntag v1.0.0\n", "\ntag v0.5.0\n"));
  const before = observe(agent);
  const error = await refused(agent, "rollback", "0.5.0", "--unproven");
  expect(error).toMatchObject({ code: "E101", exit: 1 });
  expect(error.message).toMatch(/^v0\.5\.0 was tampered with: /);
  expect(observe(agent)).toEqual(before);
  expect(leftovers(agent)).toEqual([]);
});

test("a tag that says another name, and a signed one that is malformed, are refused even with --unproven", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("tag", "-a", "-m", "by hand", "v0.4.0", "v1.0.0^{commit}");
  agent.git("update-ref", "refs/tags/v0.5.0", agent.git("rev-parse", "refs/tags/v0.4.0"));
  putTag(
    agent,
    "v0.6.0",
    signedForAnother(agent)
      .replace("\ntag v1.0.0\n", "\ntag v0.6.0\n")
      .replace(/\ntagger .*/, ""),
  );
  for (const version of ["0.5.0", "0.6.0"]) {
    const error = await refused(agent, "rollback", version, "--unproven");
    expect(error, version).toMatchObject({ code: "E101", message: expect.stringContaining("was tampered with") });
  }
});

test("a tag that nobody signed is gone back to with --unproven alone", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("tag", "-a", "-m", "by hand", "v0.5.0", "v1.0.0^{commit}");
  agent.git("tag", "v0.6.0", "v1.0.0^{commit}");
  for (const version of ["0.5.0", "0.6.0"]) {
    expect(await refused(agent, "rollback", version)).toMatchObject({ code: "E101" });
    const message = `v${version} has no record: nothing proves what it holds; it is refused without \`--unproven\``;
    const foreseen = await told(agent, "rollback", version, "--dry-run");
    expect(foreseen.plan.risks).toContainEqual({ kind: "unproven_target", severity: "high", message });
    const back = await told(agent, "rollback", version, "--unproven");
    expect(back.plan.risks).toContainEqual(expect.objectContaining({ kind: "unproven_target", severity: "high" }));
    await told(agent, "undo");
    expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
  }
});

test("behind a rollback to a version without kai.yaml undo works", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const root = agent.git("rev-list", "--max-parents=0", "HEAD");
  agent.git("checkout", "-q", "--orphan", "bare", root);
  agent.git("rm", "-q", "--cached", "kai.yaml");
  agent.git("commit", "-q", "-m", "no kai.yaml");
  agent.git("tag", "v0.5.0");
  agent.git("checkout", "-q", "-f", "main");
  const before = observe(agent);
  const back = await told(agent, "rollback", "0.5.0", "--unproven");
  expect(back.plan.risks).toContainEqual(expect.objectContaining({ kind: "no_config" }));
  expect(() => readFileSync(path.join(agent.dir, "kai.yaml"))).toThrow("ENOENT");
  expect(await told(agent, "status")).toMatchObject({ current: "0.5.0" });
  await told(agent, "undo");
  expect(observe(agent).files).toEqual(before.files);
  expect(await told(agent, "current")).toMatchObject({ version: "1.1.0" });
});

test("a target whose kai.yaml is invalid today is refused, because nothing would work behind it; forced it can be left again", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const yaml = readFileSync(path.join(agent.dir, "kai.yaml"), "utf8");
  agent.write("kai.yaml", `${yaml}surprise: 1\n`);
  agent.commit("feat: of another time");
  agent.git("tag", "v0.5.0");
  agent.git("reset", "-q", "--hard", "HEAD~");
  const before = observe(agent);
  const error = await refused(agent, "rollback", "0.5.0", "--unproven");
  expect(error).toMatchObject({ code: "E125" });
  expect(observe(agent)).toEqual(before);
  await told(agent, "rollback", "0.5.0", "--unproven", "--force");
  expect(await refused(agent, "create")).toMatchObject({ code: "E106" });
  await told(agent, "undo");
  expect(observe(agent).files).toEqual(before.files);
  await told(agent, "rollback", "0.5.0", "--unproven", "--force");
  await told(agent, "rollback", "1.1.0", "--force");
  expect(observe(agent).files).toEqual(before.files);
});

test("commands of a kai.yaml that no version has are not run", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml(START) });
  await agent.version("1.1.0");
  agent.write("kai.yaml", kaiYaml("start: {run: touch ../planted}"));
  agent.commit("chore: pulled from somebody");
  const { operation } = await told(agent, "rollback", "1.0.0");
  const before = observe(agent);
  const error = await refused(agent, "rollback", operation, "--type", "snapshot");
  expect(error).toMatchObject({ code: "E112" });
  expect(error.hint).toContain("touch ../planted");
  expect(await refused(agent, "undo")).toMatchObject({ code: "E112" });
  expect([agent.has("../planted"), observe(agent)]).toEqual([false, before]);
  await told(agent, "undo", "--trust-commands");
  expect(agent.has("../planted")).toBe(true);
});

test("where a part goes back the agent is started as what is there then says", async () => {
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("start: {run: touch ../old}"), "prompts/p.md": "old\n" });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("start: {run: touch ../new}"), "prompts/p.md": "new\n" });
  await told(agent, "rollback", "1.0.0", "--component", "prompts");
  expect([agent.has("../old"), agent.has("../new"), agent.read("prompts/p.md")]).toEqual([false, true, "old\n"]);
});

test("a detached HEAD and a bare repository are refused, a linked worktree goes back", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("checkout", "-q", "--detach");
  const before = observe(agent);
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({ code: "E125" });
  expect(await refused(agent, "rollback", "1.0.0", "--type", "emergency")).toMatchObject({ code: "E125" });
  expect(observe(agent)).toEqual(before);
  const bare = path.join(path.dirname(agent.dir), "bare.git");
  agent.git("clone", "-q", "--mirror", agent.dir, bare);
  expect((await refused({ dir: bare, env: agent.env }, "rollback", "1.0.0")).code).toMatch(/E105|E121|E125/);
  const linked = path.join(path.dirname(agent.dir), "linked");
  mkdirSync(linked);
  agent.git("worktree", "add", "-q", linked, "main");
  const place = placeAt(linked, agent.env);
  await told(place, "rollback", "1.0.0");
  expect(readFileSync(path.join(linked, "logic.py"), "utf8")).toContain("1.0.0");
  expect(readFileSync(path.join(linked, "state.json"), "utf8")).toContain("1.0.0");
  await told(place, "undo");
  expect(() => readFileSync(path.join(linked, "state.json"))).toThrow("ENOENT");
  expect(readFileSync(path.join(agent.dir, "state.json"), "utf8")).toContain("1.1.0");
});

test("a submodule that the target has on another commit is left where it is, and told of", async () => {
  const agent = await agentWithVersions();
  const library = path.join(path.dirname(agent.dir), "library");
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", library, ...args], { env: agent.env, encoding: "utf8" });
  mkdirSync(library);
  git("init", "-q");
  git("commit", "-q", "--allow-empty", "-m", "one");
  agent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "library");
  agent.commit("feat: a library");
  await told(agent, "create", "--as", "1.0.0");
  git("commit", "-q", "--allow-empty", "-m", "two");
  agent.git("-C", "library", "pull", "-q");
  agent.commit("feat: another library");
  await told(agent, "create", "--as", "1.1.0", "--allow-unchanged");
  const back = await told(agent, "rollback", "1.0.0");
  expect(back.plan.risks).toContainEqual(expect.objectContaining({ kind: "submodules" }));
  expect(agent.git("status", "--porcelain")).toBe(" M library");
  await told(agent, "undo");
  expect(agent.git("status", "--porcelain")).toBe("");
});
