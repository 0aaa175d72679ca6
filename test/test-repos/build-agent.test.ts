import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { applyStep, buildAgent, listAgents } from "../../test-repos/build-agent.mjs";
import { scratch } from "../support/scratch.js";

const SOURCES = fileURLToPath(new URL("../../test-repos", import.meta.url));
const AGENTS = listAgents();

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();

function gitIn(dir: string, env: NodeJS.ProcessEnv) {
  return (...args: string[]): string => execFileSync("git", args, { cwd: dir, env, encoding: "utf8" }).trimEnd();
}

test("lists the agents and their steps", () => {
  expect(AGENTS.map(({ name, steps }) => [name, steps])).toEqual([
    ["claude-code-agent", []],
    ["crewai-crew", ["older-config"]],
    ["document-summariser", ["service", "v1.1", "v1.2", "v1.3"]],
    ["langgraph-agent", []],
    ["mcp-server", []],
  ]);
});

test.each(AGENTS)(
  "$name has a sound history in Conventional Commits that holds every file",
  async ({ name, steps }) => {
    const { dir, env } = scratch();
    const git = gitIn(dir, env);
    await buildAgent(name, dir, { env });

    const committed = git("ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0").filter(Boolean);
    expect(committed.sort()).toEqual(filesUnder(path.join(SOURCES, name, "files", "base")));
    expect(committed).not.toContain("kai.yaml");

    for (const step of steps) await applyStep(name, step, dir, { env });
    const subjects = git("log", "--format=%s").split("\n");
    expect(subjects.length).toBeGreaterThan(1);
    expect(subjects.filter((subject) => !/^(feat|fix|docs|test|perf|build|chore): \S/.test(subject))).toEqual([]);
    expect(git("status", "--porcelain")).toBe("");
    expect(git("fsck", "--strict")).toBe("");
    expect(git("branch", "--show-current")).toBe("main");
  },
);

test("the same agent has the same commits, whatever surrounds it", async () => {
  const one = scratch();
  const other = scratch();
  const build = async ({ dir }: { dir: string }, env: NodeJS.ProcessEnv) => [
    await buildAgent("document-summariser", dir, { env }),
    await applyStep("document-summariser", "v1.1", dir, { env }),
  ];
  const hostile = {
    ...other.env,
    GIT_DIR: "/nowhere",
    GIT_AUTHOR_NAME: "Somebody Else",
    TZ: "Asia/Tokyo",
  };
  expect(await build(other, hostile)).toEqual(await build(one, one.env));
});

test("a step can be dated, for a history that goes on today", async () => {
  const { dir, env } = scratch();
  await buildAgent("document-summariser", dir, { env });
  await applyStep("document-summariser", "v1.1", dir, { env, date: new Date("2026-05-06T07:08:09Z") });
  expect(gitIn(dir, env)("log", "-2", "--format=%cI")).toBe("2026-05-06T07:08:09+00:00\n2026-05-06T07:08:09+00:00");
});

test("builds a repository with SHA-256 object ids where git is told to", async () => {
  const { dir, env } = scratch();
  expect(await buildAgent("mcp-server", dir, { env: { ...env, GIT_DEFAULT_HASH: "sha256" } })).toMatch(
    /^[0-9a-f]{64}$/,
  );
});

test("refuses a folder that holds something, an agent and a step that are not there", async () => {
  const { dir, env } = scratch();
  await buildAgent("mcp-server", dir, { env });
  await expect(buildAgent("mcp-server", dir, { env })).rejects.toThrow("is not empty");
  await expect(buildAgent("nobody", dir, { env })).rejects.toThrow("there is no agent nobody");
  await expect(applyStep("mcp-server", "v9", dir, { env })).rejects.toThrow("has no step v9");
});

test("the older form of kai.yaml comes with its step", async () => {
  const { dir, env } = scratch();
  await buildAgent("crewai-crew", dir, { env });
  expect(existsSync(path.join(dir, "kai.yaml"))).toBe(false);
  await applyStep("crewai-crew", "older-config", dir, { env });
  expect(gitIn(dir, env)("show", "HEAD:kai.yaml")).toMatch(/^versioning_system:/);
});
