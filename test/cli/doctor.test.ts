import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Check } from "../../src/cli/doctor/check.js";
import { told } from "../scenarios/place.js";
import { agentWithVersions } from "../support/agent.js";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

function doctor(env: NodeJS.ProcessEnv, cwd: string, ...args: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, "doctor", ...args], { cwd, env, encoding: "utf8" });
}

test("a machine that has all that is required is told so, outside of any repository", () => {
  const { dir, env } = scratch();
  const { status, stdout, stderr } = doctor(env, dir, "--json", "--temp-dir", path.join(dir, "temp"));
  expect(stderr).toBe("");
  const { schemaVersion, ok, checks } = JSON.parse(stdout) as {
    schemaVersion: number;
    ok: boolean;
    checks: { name: string; state: string; detail: string; remedy: string | null }[];
  };
  expect({ status, schemaVersion, ok }).toEqual({ status: 0, schemaVersion: 1, ok: true });
  const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
  expect(states).toMatchObject({ node: "ok", git: "ok", podman: "ok", "podman seccomp": "ok", keys: "warn" });
  for (const { state, remedy } of checks) expect(remedy === null).toBe(state === "ok");
});

test("what is missing is listed with the command that mends it, and the exit status is 3", () => {
  const { dir, env } = scratch();
  const bin = path.join(dir, "bin");
  mkdirSync(bin);
  for (const name of ["git", "tar"]) symlinkSync(`/usr/bin/${name}`, path.join(bin, name));
  const { status, stdout } = doctor({ ...env, PATH: bin }, dir, "--temp-dir", dir);
  expect(status).toBe(3);
  expect(stdout).toMatch(/^missing {2}podman +not installed$/m);
  expect(stdout).toMatch(/^missing {2}flock +not installed; needed for locks$/m);
  expect(stdout).toMatch(/^ok {7}git +\d/m);
  expect(stdout).toMatch(/^ {2}podman {3}Run `sudo apt-get install -y podman runc/m);
  expect(stdout).toMatch(/^ {2}flock {4}Run `sudo apt-get install -y util-linux`\.$/m);
});

test("inside an agent the temp_dir is looked at that the version in force has; --temp-dir comes first", async () => {
  const agent = await agentWithVersions("1.0.0");
  const { dir, env } = agent;
  const config = (tempDir: string) =>
    agent.write("kai.yaml", `agent_id: ai.example.a\nsnapshot_isolation: {temp_dir: "${tempDir}"}\n`);
  config("sandboxes");
  agent.commit("feat: sandboxes");
  await told(agent, "create");
  const below = path.join(dir, "below");
  mkdirSync(below);
  const look = (...args: string[]) => {
    const { checks } = JSON.parse(doctor(env, below, "--json", ...args).stdout) as { checks: Check[] };
    const found = (wanted: string) => checks.find(({ name }) => name === wanted);
    return { disk: found("disk")?.detail.replace(/^\d+ MiB free in /, ""), tempDir: found("temp_dir") };
  };
  expect(look()).toEqual({ disk: path.join(dir, "sandboxes"), tempDir: undefined });
  expect(look("--temp-dir", "other")).toEqual({ disk: path.join(below, "other"), tempDir: undefined });
  config("elsewhere");
  expect(look()).toEqual({
    disk: expect.stringMatching(/^\/tmp\/kai_snapshots/),
    tempDir: {
      name: "temp_dir",
      state: "warn",
      detail: expect.stringContaining("v1.1.0, which is in force, does not open that (temp_dir: elsewhere)"),
      remedy: expect.stringContaining("--temp-dir DIR"),
    },
  });
  expect(existsSync(path.join(dir, "elsewhere"))).toBe(false);
  const refused = doctor(env, below, "--temp-dir", "a:b,c");
  expect(refused.status).toBe(3);
  expect(refused.stderr).toContain(`Error E103: temp_dir must hold no colon, comma or newline: ${below}/a:b,c\n`);
  expect(existsSync(path.join(below, "a:b,c"))).toBe(false);
});

test("a KAI_HOME or a temp_dir that is a file, or lies below one, is no defect of ours", () => {
  const { dir, env } = scratch();
  const file = path.join(dir, "file");
  writeFileSync(file, "");
  for (const home of [file, path.join(file, "kai")]) {
    expect(doctor({ ...env, KAI_HOME: home }, dir, "--temp-dir", dir)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^Error E118: No folder can be made at .*\/cache: not a directory\.\nHint: .*KAI_HOME/,
      ),
    });
  }
  expect(doctor(env, dir, "--temp-dir", file)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^Error E118: A file stands where a folder is needed\. \(/),
  });
});

test("inside an agent it says which images of base_images are not here, and how to get them", () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q", dir], { env });
  const images = "{python: registry.invalid/nobody/python:0, node: host}";
  const settings = `{temp_dir: ${dir}/sandboxes, base_images: ${images}}`;
  writeFileSync(path.join(dir, "kai.yaml"), `agent_id: ai.example.a\nsnapshot_isolation: ${settings}\n`);
  const { checks } = JSON.parse(doctor(env, dir, "--json").stdout) as { checks: { name: string }[] };
  expect(checks.filter(({ name }) => name.startsWith("image for"))).toEqual([
    {
      name: "image for python",
      state: "warn",
      detail: "registry.invalid/nobody/python:0 is not on this machine",
      remedy: "Run `podman pull registry.invalid/nobody/python:0`, or set it to host in base_images.",
    },
  ]);
});
