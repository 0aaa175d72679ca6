import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
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
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { entryAt, leftovers } from "../operation/observe.js";
import { placeAt } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";
import { smallDisk } from "../support/small-disk.js";

const rootOf = (agent: Agent): string => path.join(path.dirname(agent.dir), "deployed");

/** Deploys to a root beside the agent; its command line, for more. */
const deploy = (agent: Agent, version: string, ...more: string[]) =>
  agent.kai("deploy", version, "--to", "../deployed", ...more);

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

test("bytes are those of git, whatever attributes and filters say; links, executables and odd names too", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write(".gitattributes", "*.txt text eol=crlf\n*.id ident\n");
  agent.write("notes.txt", "one\ntwo\n");
  agent.write("x.id", "$Id$\n");
  agent.write("run.sh", "#!/bin/sh\n");
  chmodSync(path.join(agent.dir, "run.sh"), 0o755);
  symlinkSync("run.sh", path.join(agent.dir, "a link"));
  writeFileSync(Buffer.concat([Buffer.from(`${agent.dir}/caf`), Buffer.from([0xe9])]), "latin1 name\n");
  agent.write("empty", "");
  agent.commit("feat: odd files");
  await agent.kai("create", "--as", "1.1.0");
  const deployed = await deploy(agent, "1.1.0", "--json");
  expect(deployed.exit).toBe(0);
  const folder = deployed.json().path;
  expect(readFileSync(path.join(folder, "notes.txt"), "utf8")).toBe("one\ntwo\n");
  expect(readFileSync(path.join(folder, "x.id"), "utf8")).toBe("$Id$\n");
  expect(lstatSync(path.join(folder, "run.sh")).mode & 0o777).toBe(0o555);
  expect(lstatSync(path.join(folder, "notes.txt")).mode & 0o777).toBe(0o444);
  expect(readlinkSync(path.join(folder, "a link"))).toBe("run.sh");
  expect(existsSync(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]))).toBe(true);
});

test("a version that has files under our names keeps them; ours have other names", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("manifest.json", '{"mine": true}\n');
  agent.write("snapshot_meta.json/readme", "a folder\n");
  agent.commit("feat: a manifest of its own");
  await agent.kai("create", "--as", "1.1.0");
  const folder = (await deploy(agent, "1.1.0", "--json")).json().path;
  expect(readFileSync(path.join(folder, "manifest.json"), "utf8")).toBe('{"mine": true}\n');
  expect(JSON.parse(readFileSync(path.join(folder, ".kai-snapshot_meta.json"), "utf8")).version).toBe("1.1.0");
  expect(await deploy(agent, "1.1.0")).toMatchObject({ exit: 0 });
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

test("what stands in the place of `current` is left alone", async () => {
  const agent = await agentWithVersions("1.0.0");
  mkdirSync(path.join(rootOf(agent), "current"), { recursive: true });
  const refused = await deploy(agent, "1.0.0", "--json");
  expect([refused.exit, refused.json().error.code]).toEqual([1, "E125"]);
});

test("a bare mirror deploys, too", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("clone", "--quiet", "--mirror", agent.dir, "../mirror.git");
  const mirror = path.join(path.dirname(agent.dir), "mirror.git");
  const adopted = await agent.kai("-C", mirror, "init", "--yes");
  expect([adopted.exit, adopted.stderr]).toEqual([0, expect.anything()]);
  const deployed = await agent.kai("-C", mirror, "deploy", "1.0.0", "--to", "../deployed", "--json");
  expect(deployed.exit).toBe(0);
  expect(existsSync(path.join(deployed.json().path, "logic.py"))).toBe(true);
});

test("deployments may lie on another file system", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0", "1.2.0");
  const disk = await smallDisk();
  const at = (version: string) => {
    const program = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
    return disk.run(process.execPath, [program, "deploy", version, "--to", disk.dir, "--json"], {
      cwd: agent.dir,
      env: agent.env,
    });
  };
  agent.write("kai.yaml", "agent_id: ai.example.clerk\ndeploy: {keep: 1}\n");
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) expect((await at(version)).exit).toBe(0);
  expect(readlinkSync(path.join(disk.seen, "current"))).toBe("versions/v1.2.0");
  expect(readdirSync(path.join(disk.seen, "versions")).sort()).toEqual(["v1.1.0", "v1.2.0"]);
  expect(leftovers(agent)).toEqual([]);
});

test("a disk that is too small for it holds no half of a deployment", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("large", randomBytes(1 << 16));
  agent.commit("feat: something large");
  await agent.kai("create", "--as", "1.2.0");
  const disk = await smallDisk();
  const program = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
  const at = (version: string) =>
    disk.run(process.execPath, [program, "deploy", version, "--to", disk.dir, "--json"], {
      cwd: agent.dir,
      env: agent.env,
    });
  expect((await at("1.0.0")).exit).toBe(0);
  disk.leave(12);
  const refused = await at("1.2.0");
  expect(refused.exit).toBe(1);
  expect(["E116", "E118"]).toContain(refused.json().error.code);
  expect(readdirSync(path.join(disk.seen, "versions"))).toEqual(["v1.0.0"]);
  expect(readlinkSync(path.join(disk.seen, "current"))).toBe("versions/v1.0.0");
});

test("a submodule, and what Git LFS keeps, are told to be missing in the folder", async () => {
  const agent = await agentWithVersions("1.0.0");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 5\n`;
  agent.write(".gitattributes", "*.bin filter=lfs\n");
  agent.write("model.bin", pointer);
  agent.git("update-index", "--add", "--cacheinfo", `160000,${agent.git("rev-parse", "HEAD")},sub`);
  agent.git("-c", "filter.lfs.clean=cat", "add", ".gitattributes", "model.bin");
  agent.git("-c", "filter.lfs.clean=cat", "commit", "-q", "-m", "feat: a model");
  agent.write("sub/.keep", "");
  agent.remove("sub/.keep");
  const created = await agent.kai("create", "--as", "1.1.0");
  expect([created.exit, created.stderr]).toEqual([0, ""]);
  const deployed = await deploy(agent, "1.1.0", "--json");
  expect(deployed.json().incomplete).toEqual(["model.bin", "sub"]);
  expect(deployed.stderr).toContain("Not in the folder is what Git LFS keeps or a submodule holds: model.bin, sub");
  const folder = deployed.json().path;
  expect([readFileSync(path.join(folder, "model.bin"), "utf8"), readdirSync(path.join(folder, "sub"))]).toEqual([
    pointer,
    [],
  ]);
  expect((await deploy(agent, "1.1.0")).exit).toBe(0);
});

test("captured state that this clone lacks is not passed over", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.git("update-ref", "-d", "refs/kai/state/v1.0.0");
  const refused = await deploy(agent, "1.0.0", "--json");
  expect([refused.exit, refused.json().error.code]).toEqual([1, "E102"]);
  expect(readdirSync(path.join(rootOf(agent), "versions"))).toEqual([]);
  expect(leftovers(agent)).toEqual([]);
});

test("state that was forgotten is not in the folder", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  expect((await agent.kai("state", "forget", "1.0.0")).exit).toBe(0);
  const forgotten = (await deploy(agent, "1.0.0", "--json")).json().path;
  expect(existsSync(path.join(forgotten, "state.json"))).toBe(false);
  expect((await deploy(agent, "1.1.0")).exit).toBe(0);
  expect((await deploy(agent, "1.0.0")).exit).toBe(0);
});

test("a SHA-256 repository deploys, too", async () => {
  const { dir, env } = scratch();
  const agent = placeAt(path.join(dir, "clerk"), env);
  execFileSync("git", ["init", "-q", "-b", "main", "--object-format=sha256", agent.dir], { env });
  agent.write("logic.py", "print('hello')\n");
  agent.git("add", "-A");
  agent.git("commit", "-q", "-m", "feat: answer");
  for (const args of [
    ["init", "--yes", "--agent-id", "ai.example.clerk"],
    ["create", "--as", "1.0.0"],
  ]) {
    expect((await agent.kai(...args)).exit).toBe(0);
  }
  const deployed = await agent.kai("deploy", "1.0.0", "--to", "../deployed", "--json");
  expect(deployed.exit).toBe(0);
  expect(await loadDeployment(deployed.json().path)).toMatchObject({
    version: "1.0.0",
    commit: agent.git("rev-parse", "HEAD"),
  });
});
