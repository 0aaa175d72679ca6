import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { loadAgent } from "../../src/deploy/load-agent.js";
import { rollBack } from "../../src/rollback/rollback.js";
import { initAgent } from "../../src/version/init.js";
import { parseNumber } from "../../src/version/number.js";
import { scratch } from "../support/scratch.js";
import { type SmallAgent, smallAgent } from "./small-agent.js";

const FILES = {
  "logic.py": "print('hello')\n",
  "config.yaml": "model: {temperature: 0.2}\n",
  "prompts/answer.md": "Answer.\nBe short.\n",
  "tools/search.tool.json": '{"name": "search"}\n',
  "data/handbook.md": "# Handbook\n",
  "state.json": '{"asked": 1}\n',
};

async function agentInForce(files: Readonly<Record<string, string>> = {}): Promise<SmallAgent> {
  const agent = await smallAgent({ ...FILES, ...files });
  await agent.create();
  return agent;
}

const NOW = new Date("2026-03-03T10:00:00Z");

/** What loading ends with: the code, and what the message and its data say. */
async function refusal(dir: string): Promise<{ code: string; message: string; hint: string; paths: unknown }> {
  const cause = await loadAgent(dir).then(
    () => {
      throw new Error("it was loaded");
    },
    (error) => error,
  );
  return { code: cause.code, message: cause.message, hint: cause.hint, paths: cause.data?.paths };
}

/** Writes an object under the id of another, as somebody with access to the disk could. */
function exchangeObject({ dir, env }: SmallAgent, id: string, content: string): void {
  const other = execFileSync("git", ["hash-object", "-w", "--stdin"], {
    cwd: dir,
    env,
    input: content,
    encoding: "utf8",
  }).trim();
  const file = (each: string) => path.join(dir, ".git", "objects", each.slice(0, 2), each.slice(2));
  chmodSync(file(id), 0o644);
  writeFileSync(file(id), readFileSync(file(other)));
}

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
  await rollBack(caller, { to: parseNumber("1.0.0"), force: false, unproven: false, dryRun: false });
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

test("names every file of logic and configuration that is not the version's", async () => {
  const agent = await agentInForce({ "run.sh": "#!/bin/sh\n" });
  agent.write({
    "config.yaml": "model: {temperature: 0.9}\n",
    "logic.py": "print('other')\n",
    "tools/search.tool.json": undefined,
    "prompts/planted.md": "Obey.\n",
    "lib/new.py": "x = 1\n",
  });
  rmSync(path.join(agent.dir, "prompts/answer.md"));
  symlinkSync("planted.md", path.join(agent.dir, "prompts/answer.md"));
  const refused = await refusal(agent.dir);
  expect(refused).toMatchObject({
    code: "E102",
    paths: [
      "config.yaml",
      "lib/new.py",
      "logic.py",
      "prompts/answer.md",
      "prompts/planted.md",
      "tools/search.tool.json",
    ],
  });
  expect(refused.message).toBe(
    "The working tree does not hold the logic and configuration of v1.0.0: config.yaml (changed), lib/new.py (extra), logic.py (changed), prompts/answer.md (changed), prompts/planted.md (extra), tools/search.tool.json (missing).",
  );
  expect(refused.hint).toContain("git restore .");
});

test("a file too large to be read is a changed one, whether its blob was read before or not", async () => {
  const agent = await agentInForce();
  truncateSync(path.join(agent.dir, "logic.py"), 3 * 2 ** 30);
  for (const cache of ["known", "unknown"]) {
    expect(await refusal(agent.dir), cache).toMatchObject({ code: "E102", paths: ["logic.py"] });
    rmSync(path.join(agent.dir, ".git", "kai", "cache"), { recursive: true, force: true });
  }
});

test("commits that are in no version yet are refused as well", async () => {
  const agent = await agentInForce();
  agent.commit("feat: more", { "logic.py": "print('more')\n" });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["logic.py"] });
});

test("an executable bit counts, where the file system keeps it", async () => {
  const agent = await agentInForce();
  chmodSync(path.join(agent.dir, "logic.py"), 0o755);
  expect((await refusal(agent.dir)).message).toContain("logic.py (mode)");
  agent.git("config", "core.fileMode", "false");
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
});

test("what the version itself ignores is left alone; what only this clone excludes is not", async () => {
  const agent = await agentInForce({
    ".gitignore": "state.json\n*.local.yaml\n.venv/\n",
    "prompts/.gitignore": "draft-*\n",
  });
  agent.write({ "a.local.yaml": "a: 1\n", ".venv/lib/x.py": "1\n", "prompts/draft-1.md": "d\n" });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
  agent.write({ ".git/info/exclude": "hidden.py\n", "hidden.py": "1\n", ".gitignore": "*\n" });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["hidden.py"] });
});

test("line ends as git checks them out, and what an LFS pointer names, are no change", async () => {
  const model = "x".repeat(5000);
  const oid = createHash("sha256").update(model).digest("hex");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 5000\n`;
  const agent = await agentInForce({ "prompts/long.md": pointer });
  agent.write({ "prompts/answer.md": "Answer.\r\nBe short.\r\n", "prompts/long.md": model });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
  agent.write({ "prompts/answer.md": "Answer.\r\nBe long.\r\n", "prompts/long.md": `${model}!` });
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["prompts/answer.md", "prompts/long.md"] });
});

test("odd names, links and submodules", async () => {
  const { dir, env } = scratch();
  const part = path.join(dir, "part");
  mkdirSync(part);
  execFileSync("git", ["init", "-q"], { cwd: part, env });
  execFileSync("git", ["commit", "-q", "--allow-empty", "-m", "part"], { cwd: part, env });
  const agent = await smallAgent({ ...FILES, "prompts/two words\n.md": "a\n", "prompts/é.md": "b\n" });
  symlinkSync("answer.md", path.join(agent.dir, "prompts/link.md"));
  symlinkSync("vendor", path.join(agent.dir, "lib"));
  agent.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", part, "vendor/part");
  agent.commit("feat: parts", {});
  await agent.create();
  agent.write({ "vendor/part/planted.py": "1\n" });
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0", unchecked: ["vendor/part"] });
  rmSync(path.join(agent.dir, "prompts/link.md"));
  symlinkSync("/etc/passwd", path.join(agent.dir, "prompts/link.md"));
  rmSync(path.join(agent.dir, "lib"));
  symlinkSync("/usr/lib", path.join(agent.dir, "lib"));
  agent.write({ "prompts/two words\n.md": "c\n" });
  expect(await refusal(agent.dir)).toMatchObject({ paths: ["lib", "prompts/link.md", "prompts/two words\n.md"] });
});

test("folders of code behind links are not let in", async () => {
  const agent = await agentInForce();
  const aside = path.join(agent.dir, "..", "aside");
  renameSync(path.join(agent.dir, "prompts"), aside);
  symlinkSync(aside, path.join(agent.dir, "prompts"));
  symlinkSync(aside, path.join(agent.dir, "lib"));
  symlinkSync(aside, path.join(agent.dir, "data", "latest"));
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["lib", "prompts", "prompts/answer.md"] });
});

test("a tag that was moved", async () => {
  const agent = await agentInForce();
  agent.commit("fix: other words", { "prompts/answer.md": "Answer!\n" });
  await agent.create();
  const old = agent.git("rev-parse", "v1.0.0");
  agent.git("update-ref", "refs/tags/v1.0.1", old);
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/tags/v1.0.1"] });
});

test("`current` put back to what it was, without a log entry", async () => {
  const agent = await agentInForce();
  const before = agent.git("rev-parse", "current");
  agent.commit("fix: other words", { "prompts/answer.md": "Answer!\n" });
  await agent.create();
  agent.git("update-ref", "refs/tags/current", before);
  agent.git("checkout", "--quiet", "v1.0.0");
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/tags/current"] });
});

test("the whole repository put back to before what this clone has seen", async () => {
  const agent = await agentInForce();
  const [log, current] = [agent.git("rev-parse", "refs/kai/log"), agent.git("rev-parse", "current")];
  agent.commit("fix: a security hole", { "logic.py": "print('safe')\n" });
  await agent.create();
  agent.git("update-ref", "refs/kai/log", log);
  agent.git("update-ref", "refs/tags/current", current);
  agent.git("checkout", "--quiet", "v1.0.0");
  const refused = await refusal(agent.dir);
  expect(refused.code).toBe("E121");
  expect(refused.message).toContain("rolled back or replaced");
});

test("entries that came after what was seen are verified one by one", async () => {
  const agent = await agentInForce();
  const trust = path.join(agent.dir, ".git/kai/trust.json");
  const pinned = readFileSync(trust);
  for (const word of ["one", "two"]) {
    agent.commit(`fix: ${word}`, { "prompts/answer.md": `${word}\n` });
    await agent.create();
  }
  writeFileSync(trust, pinned);
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.2" });
  const tree = agent.git("rev-parse", "refs/kai/log^{tree}");
  const message = agent.git("log", "-1", "--format=%B", "refs/kai/log").replace('"seq":3', '"seq":4');
  const forged = agent.git("commit-tree", tree, "-p", "refs/kai/log", "-m", message);
  agent.git("update-ref", "refs/kai/log", forged);
  expect(await refusal(agent.dir)).toMatchObject({ code: "E121" });
});

test("a record that was edited", async () => {
  const agent = await agentInForce();
  const note = agent.git("notes", "--ref=kai", "show", "v1.0.0^{commit}");
  agent.git(
    "notes",
    "--ref=kai",
    "add",
    "-f",
    "-m",
    note.replace('"type":"auto"', '"type":"release"'),
    "v1.0.0^{commit}",
  );
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["refs/notes/kai"] });
  agent.git("update-ref", "-d", "refs/notes/kai");
  expect(await loadAgent(agent.dir)).toMatchObject({ version: "1.0.0" });
});

test("captured state that was replaced, or is gone", async () => {
  const agent = await agentInForce();
  const ref = "refs/kai/state/v1.0.0";
  const [blob, other] = [agent.git("rev-parse", `${ref}:files/0`), agent.git("rev-parse", "HEAD:logic.py")];
  const list = (name: string) => agent.git("ls-tree", name);
  const mktree = (input: string) =>
    execFileSync("git", ["mktree"], { cwd: agent.dir, env: agent.env, input, encoding: "utf8" }).trim();
  const files = mktree(`${list(`${ref}:files`).replace(blob, other)}\n`);
  const root = mktree(`${list(ref).replace(agent.git("rev-parse", `${ref}:files`), files)}\n`);
  agent.git("update-ref", ref, agent.git("commit-tree", root, "-m", "state"));
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102", paths: ["state.json"] });
  agent.git("update-ref", "-d", ref);
  expect(await refusal(agent.dir)).toMatchObject({
    code: "E102",
    paths: [ref],
    hint: expect.stringContaining("git fetch"),
  });
});

test("an object whose bytes were exchanged", async () => {
  const agent = await agentInForce();
  exchangeObject(agent, agent.git("rev-parse", "HEAD:prompts"), "no tree");
  expect(await refusal(agent.dir)).toMatchObject({ code: "E102" });
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
