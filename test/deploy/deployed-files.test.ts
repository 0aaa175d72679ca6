import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadDeployment } from "../../src/deploy/load-deployment.js";
import { leftovers } from "../operation/observe.js";
import { placeAt } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";
import { smallDisk } from "../support/small-disk.js";
import { deploy, rootOf } from "./deployed-beside.js";

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
