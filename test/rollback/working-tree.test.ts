import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { smallDisk } from "../support/small-disk.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

test("a rollback of a rollback, many times over: numbers never come again", { timeout: 180_000 }, async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const turns = process.env["KAI_SWEEP"] === "all" ? 50 : 12;
  const made = new Set(["1.0.0", "1.1.0"]);
  for (let turn = 0; turn < turns; turn++) {
    const target = turn % 2 === 0 ? "1.0.0" : "1.1.0";
    expect((await agent.kai("rollback", target, "--force")).exit).toBe(0);
    expect(agent.git("rev-parse", "HEAD^{tree}")).toBe(agent.git("rev-parse", `v${target}^{tree}`));
    if (turn % 4 !== 3) continue;
    const { version } = (await agent.kai("create", "--allow-unchanged", "--json")).json();
    expect(made).not.toContain(version);
    made.add(version);
  }
  expect(agent.git("tag", "--list", "v*").split("\n")).toHaveLength(made.size);
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
});

test("live state that an older version tracked stays as it is", async () => {
  const agent = await agentWithVersions("1.0.0");
  agent.write("kai.yaml", agent.git("show", "HEAD:kai.yaml").replace("state.json", "memory.json"));
  agent.write("memory.json", "{}\n");
  agent.git("add", "-f", "memory.json");
  agent.commit("feat: remember");
  await agent.kai("create");
  agent.git("rm", "-q", "--cached", "memory.json");
  agent.write(".gitignore", "memory.json\n");
  agent.commit("feat: forget in git");
  await agent.kai("create");
  agent.write("memory.json", '{"live": true}\n');
  expect((await agent.kai("rollback", "1.1.0")).exit).toBe(0);
  expect(readFileSync(path.join(agent.dir, "memory.json"), "utf8")).toBe('{"live": true}\n');
});

test("a git folder that lies on another file system than the working tree", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const disk = await smallDisk();
  const run = (file: string, ...args: string[]) => disk.run(file, args, { cwd: agent.dir, env: agent.env });
  const folder = path.join(disk.dir, "git");
  expect((await run("cp", "-a", ".git", folder)).exit).toBe(0);
  rmSync(path.join(agent.dir, ".git"), { recursive: true });
  agent.write(".git", `gitdir: ${folder}\n`);
  for (const version of ["1.0.0", "1.1.0"]) {
    const ran = await run(process.execPath, PROGRAM, "rollback", version, "--force");
    expect(ran.exit, String(ran)).toBe(0);
    expect(readFileSync(path.join(agent.dir, "logic.py"), "utf8")).toContain(version);
    expect((await run("git", "status", "--porcelain")).toString()).toBe("[exit 0]");
  }
  expect((await run("ls", path.join(folder, "kai/staging"))).stdout).toBe("");
  expect(readdirSync(agent.dir).filter((name) => name.startsWith(".kai"))).toEqual([]);
});
