import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { entryAt, leftovers } from "../operation/observe.js";
import { agentWithVersions } from "../support/agent.js";
import { deploy, rootOf } from "./deployed-beside.js";

function below(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

test("a version's files and its state are in a folder of its own, read-only, and `current` leads there", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const root = rootOf(agent);
  const folder = path.join(root, "versions/v1.0.0");
  const deployed = await deploy(agent, "1.0.0", "--json");
  expect(deployed.json()).toMatchObject({
    schemaVersion: 1,
    version: "1.0.0",
    path: folder,
    previous: null,
    operation: expect.stringMatching(/^[0-9A-Z]{26}$/),
  });
  expect(readlinkSync(path.join(root, "current"))).toBe("versions/v1.0.0");
  expect(below(root).filter((name) => !/(current|v1.0.0)\//.test(name))).toEqual([
    "current",
    "rollback.log",
    "versions",
    "versions/v1.0.0",
  ]);
  expect(below(folder)).toEqual([
    ".gitignore",
    ".kai-deployment.json",
    "kai.yaml",
    "logic.py",
    "manifest.json",
    "prompts",
    "prompts/system.md",
    "snapshot_meta.json",
    "state.json",
    "tools",
    "tools/search.json",
  ]);
  expect(readFileSync(path.join(folder, "logic.py"), "utf8")).toBe('print("answer of 1.0.0")\n');
  expect(readFileSync(path.join(folder, "state.json"), "utf8")).toBe('{"seen": "1.0.0"}\n');
  for (const name of ["", ...below(folder)]) {
    expect([name, lstatSync(path.join(folder, name)).mode & 0o222]).toEqual([name, 0]);
  }
});

test("snapshot_meta.json has the keys of the source documents, and the manifest is what the version hash is of", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await deploy(agent, "1.1.0");
  const folder = path.join(rootOf(agent), "versions/v1.1.0");
  const shown = (await agent.kai("show", "1.1.0", "--json")).json();
  const meta = JSON.parse(readFileSync(path.join(folder, "snapshot_meta.json"), "utf8"));
  expect(Object.keys(meta)).toEqual([
    "version",
    "created",
    "commit_hash",
    "parent",
    "snapshot_type",
    "notes",
    "agent_state_checksum",
    "config_checksum",
  ]);
  expect(meta).toMatchObject({
    version: "1.1.0",
    commit_hash: shown.commit,
    parent: "1.0.0",
    agent_state_checksum: shown.record.checksums.state,
    config_checksum: shown.record.checksums.config,
  });
  const manifest = readFileSync(path.join(folder, "manifest.json"));
  expect(`sha256:${createHash("sha256").update(manifest).digest("hex")}`).toBe(shown.hash);
});

test("a deployment is an operation: in the log, in the version's note, and in rollback.log, and moves no ref of the agent", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await deploy(agent, "1.0.0");
  const before = agent.git("rev-parse", "refs/tags/current", "HEAD");
  const second = (await deploy(agent, "1.1.0", "--json")).json();
  expect(second.previous).toBe("1.0.0");
  expect(agent.git("rev-parse", "refs/tags/current", "HEAD")).toBe(before);
  const entry = entryAt(agent, "refs/kai/log");
  expect([entry.kind, entry.id, entry.changes]).toEqual(["deploy", second.operation, []]);
  expect(entry.details).toMatchObject({
    deployed: "1.1.0",
    root: rootOf(agent),
    path: path.join(rootOf(agent), "versions/v1.1.0"),
    previous: "1.0.0",
  });
  const noted = agent.git("notes", "--ref=refs/notes/kai", "show", "v1.1.0^{commit}");
  expect(noted.split(second.operation).length).toBe(2);
  const lines = readFileSync(path.join(rootOf(agent), "rollback.log"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { event: "deploy", from: null, to: "1.0.0" },
    { event: "deploy", from: "1.0.0", to: "1.1.0", operation: second.operation, path: "versions/v1.1.0" },
  ]);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
  expect(leftovers(agent)).toEqual([]);
});

test("what it says", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const says = async (...args: [string, ...string[]]) =>
    String(await deploy(agent, ...args)).replaceAll(path.dirname(agent.dir), "");
  expect(await says("1.0.0", "--dry-run")).toMatchInlineSnapshot(`
    "Would deploy v1.0.0
      path     /deployed/versions/v1.0.0
    [exit 0]"
  `);
  expect(existsSync(rootOf(agent))).toBe(false);
  expect(await says("v1.0.0")).toMatchInlineSnapshot(`
    "✓ Deployed v1.0.0
      path     /deployed/versions/v1.0.0
    [exit 0]"
  `);
  expect(await says("1.0.0")).toMatchInlineSnapshot(`
    "v1.0.0 is deployed already, and its files are whole.
      path     /deployed/versions/v1.0.0
    [exit 0]"
  `);
  await deploy(agent, "current");
  expect(await says("1.0.0", "--dry-run")).toMatchInlineSnapshot(`
    "Would deploy v1.0.0 in place of 1.1.0
      path     /deployed/versions/v1.0.0  (it is there already)
    [exit 0]"
  `);
  expect(await says("1.0.0")).toMatchInlineSnapshot(`
    "✓ Deployed v1.0.0 in place of 1.1.0
      path     /deployed/versions/v1.0.0  (it was there, and is whole)
    [exit 0]"
  `);
});

test("deploy.root of kai.yaml is where it goes, relative to the working tree; without one it must be told", async () => {
  const agent = await agentWithVersions("1.0.0");
  expect(await agent.kai("deploy", "1.0.0")).toMatchInlineSnapshot(`
    Error E122: Nothing says where to deploy to.
    Hint: Name the folder with \`--to DIR\`, or set \`deploy: {root: DIR}\` in kai.yaml.
    [exit 2]
  `);
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../there}\n");
  mkdirSync(path.join(agent.dir, "sub"));
  const deployed = await agent.kai("-C", "sub", "deploy", "1.0.0", "--json");
  expect(deployed.json().path).toBe(path.join(path.dirname(agent.dir), "there/versions/v1.0.0"));
});

test("a folder that was changed is not switched to, and what differs is named", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const folder = (await deploy(agent, "1.0.0", "--json")).json().path;
  await deploy(agent, "1.1.0");
  for (const name of ["", "prompts"]) chmodSync(path.join(folder, name), 0o755);
  chmodSync(path.join(folder, "logic.py"), 0o644);
  writeFileSync(path.join(folder, "logic.py"), "import evil\n");
  writeFileSync(path.join(folder, "prompts/more.md"), "Obey.\n");
  rmSync(path.join(folder, "tools/search.json"));
  const refused = await deploy(agent, "1.0.0", "--json");
  expect(refused.exit).toBe(1);
  expect(refused.json().error).toMatchObject({
    code: "E102",
    paths: ["logic.py", "prompts/more.md", "tools/search.json"],
  });
  expect(readlinkSync(path.join(rootOf(agent), "current"))).toBe("versions/v1.1.0");
  renameSync(folder, `${folder}-changed`);
  expect((await deploy(agent, "1.0.0")).exit).toBe(0);
  renameSync(folder, `${folder}-gone`);
  expect((await deploy(agent, "1.0.0", "--json")).json()).toMatchObject({
    written: true,
    previous: "1.0.0",
    operation: expect.any(String),
  });
});

test("only a version that is proven, ours and not withdrawn is deployed", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.git("tag", "v1.0.5");
  expect((await deploy(agent, "1.0.5", "--json")).json().error.code).toBe("E101");
  await agent.kai("rollback", "1.0.0");
  expect((await deploy(agent, "1.1.0", "--json")).json().error.code).toBe("E101");
  expect((await deploy(agent, "9.0.0", "--json")).json().error.code).toBe("E101");
  const forged = agent.git("cat-file", "tag", "v1.0.0").replace("version 1.0.0", "version 1.0.O");
  const id = await agent.run("sh", ["-c", `printf '%s\\n' "$FORGED" | git hash-object -t tag -w --stdin`], {
    FORGED: forged,
  });
  agent.git("update-ref", "refs/tags/v1.0.0", id.stdout.trim());
  expect((await deploy(agent, "1.0.0", "--json")).json().error.code).toBe("E101");
  expect(existsSync(rootOf(agent))).toBe(false);
});

test("the newest deployments are kept, and always the one before", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0", "1.3.0");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../deployed, keep: 2}\n");
  mkdirSync(path.join(rootOf(agent), "versions/v0.9.0-by-hand"), { recursive: true });
  for (const version of ["1.0.0", "1.1.0", "1.2.0", "1.0.0"]) expect((await agent.kai("deploy", version)).exit).toBe(0);
  const versions = () => readdirSync(path.join(rootOf(agent), "versions")).sort();
  expect(versions()).toEqual(["v0.9.0-by-hand", "v1.0.0", "v1.2.0"]);
  const last = await agent.kai("deploy", "1.3.0", "--json");
  expect(last.json().removed).toEqual(["1.2.0"]);
  expect(versions()).toEqual(["v0.9.0-by-hand", "v1.0.0", "v1.3.0"]);
});

test("a deployment in which somebody changed something stays beyond the number that is kept, and is named", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0", "1.3.0");
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {root: ../deployed, keep: 2}\n");
  for (const version of ["1.0.0", "1.1.0"]) expect((await agent.kai("deploy", version)).exit).toBe(0);
  const changed = path.join(rootOf(agent), "versions/v1.0.0");
  chmodSync(changed, 0o755);
  writeFileSync(path.join(changed, "hotfix.txt"), "by hand");
  expect((await agent.kai("deploy", "1.2.0", "--dry-run", "--json")).json()).toMatchObject({
    removed: [],
    changed: ["1.0.0"],
  });
  const told = await agent.kai("deploy", "1.2.0");
  expect(told.stdout).toContain("kept     1.0.0  (beyond deploy.keep, but not what was deployed");
  expect((await agent.kai("deploy", "1.3.0", "--json")).json()).toMatchObject({
    removed: ["1.1.0"],
    changed: ["1.0.0"],
  });
  expect(readFileSync(path.join(changed, "hotfix.txt"), "utf8")).toBe("by hand");
});

test("what stands in the place of `current` is left alone", async () => {
  const agent = await agentWithVersions("1.0.0");
  mkdirSync(path.join(rootOf(agent), "current"), { recursive: true });
  const refused = await deploy(agent, "1.0.0", "--json");
  expect([refused.exit, refused.json().error.code]).toEqual([1, "E125"]);
});

test("what is archived is not deployed until it is promoted again, and of what is deprecated the reason is said", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  await agent.kai("archive", "1.0.0", "--reason", "its licence ended");
  expect(await deploy(agent, "1.0.0")).toMatchInlineSnapshot(`
    Error E101: v1.0.0 is archived: its licence ended.
    Hint: Nobody is to use it any more; \`git kai-version promote 1.0.0 STATUS\` takes it back into use.
    [exit 1]
  `);
  expect((await deploy(agent, "1.0.0", "--dry-run")).exit).toBe(1);
  expect(existsSync(rootOf(agent))).toBe(false);
  await agent.kai("deprecate", "1.0.0", "--reason", "it forgets names");
  const { exit, stderr, stdout } = await deploy(agent, "1.0.0", "--json");
  expect([exit, stderr]).toEqual([0, expect.stringContaining("v1.0.0 is deprecated: it forgets names")]);
  expect(JSON.parse(stdout)).toMatchObject({ version: "1.0.0", standing: { status: "deprecated" } });
});
