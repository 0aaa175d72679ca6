import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Scratch, scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

function kai({ dir, env }: Scratch, ...args: readonly string[]) {
  const run = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: dir, env, encoding: "utf8" });
  return { ...run, said: `${run.stdout}${run.stderr}[exit ${run.status}]` };
}

const git = ({ dir, env }: Scratch, ...args: string[]) => execFileSync("git", args, { cwd: dir, env });

/** A repository with this kai.yaml. */
function agent(text: string | Buffer): Scratch {
  const place = scratch();
  git(place, "init", "--quiet");
  writeFileSync(path.join(place.dir, "kai.yaml"), text);
  return place;
}

const CONFIG = `agent_id: ai.kai.desk
version_management:
  semantic_versioning:
    tag_format: "desk-{version}"
  storage:
    repository: upstream
isolation:
  temp_dir: /srv/snapshots
`;

test("shows what is in effect or set, and where it comes from", () => {
  const { said } = kai(agent(CONFIG), "config", "show");
  const lines = said.split("\n").map((line) => line.replace(/ {2,}/g, "  "));
  expect(lines[0]).toBe("ai.kai.desk  kai.yaml:1");
  expect(lines).toContain('  semantic_versioning.tag_format  "desk-{version}"  kai.yaml:4');
  expect(lines).toContain("  storage.repository  upstream  kai.yaml:6  changes nothing yet");
  expect(lines).toContain("  temp_dir  /srv/snapshots  kai.yaml:8 (isolation form)");
  expect(lines).toContain("  resource_limits.memory  4Gi  default");
  expect(said).not.toContain("alerts");
  expect(said).toMatch(/\d+ more keys have their default and change nothing yet; --all shows them\.\n\[exit 0\]$/);
});

test("shows every key with --all", () => {
  const { said } = kai(agent(CONFIG), "config", "show", "--all");
  expect(said).toContain("cleanup_after");
  expect(said).not.toContain("more keys");
});

test("gives every key as JSON", () => {
  const place = agent(CONFIG);
  const { agentId, file, keys } = JSON.parse(kai(place, "config", "show", "--json").stdout);
  expect({ agentId, file }).toEqual({ agentId: "ai.kai.desk", file: path.join(place.dir, "kai.yaml") });
  expect(keys).toContainEqual({
    key: "version_management.storage.repository",
    value: "upstream",
    source: "kai.yaml:6",
    inEffect: false,
    refused: false,
  });
  expect(keys).toContainEqual({
    key: "monitoring.alerts",
    value: [],
    source: "default",
    inEffect: false,
    refused: false,
  });
});

test("finds the kai.yaml of the repository's root, as every command does", () => {
  const place = agent(CONFIG);
  const below = path.join(place.dir, "a", "b");
  mkdirSync(below, { recursive: true });
  expect(kai({ ...place, dir: below }, "config", "show").said).toContain("ai.kai.desk  ../../kai.yaml:1");
  expect(kai(place, "-C", "a/b", "config", "validate").said).toContain("kai.yaml is valid.");
  writeFileSync(path.join(place.dir, "a", "kai.yaml"), "agent_id: somebody.else\n");
  expect(kai({ ...place, dir: below }, "config", "show").said).toContain("ai.kai.desk  ../../kai.yaml:1");
  git({ ...place, dir: below }, "init", "--quiet");
  expect(kai({ ...place, dir: below }, "config", "show").said).toMatchInlineSnapshot(`
    "Error E105: There is no kai.yaml here, so this is not an agent.
    Hint: \`git kai-version init\` makes the repository an agent.
    [exit 1]"
  `);
});

test("reads what HEAD has where there is no working tree", () => {
  const place = agent(CONFIG);
  git(place, "add", "--all");
  git(place, "commit", "--quiet", "-m", "an agent");
  git(place, "clone", "--quiet", "--bare", ".", "bare");
  const bare = { ...place, dir: path.join(place.dir, "bare") };
  expect(kai(bare, "config", "show").said).toContain("ai.kai.desk  HEAD:kai.yaml:1");
  expect(kai(bare, "config", "validate").said).toContain("HEAD:kai.yaml is valid.");
});

test("refuses to show what is not valid", () => {
  expect(kai(agent("agent_id: a\nrollback_systm: {}\n"), "config", "show").said).toMatchInlineSnapshot(`
    "Error E106: kai.yaml:2:1: Unknown key "rollback_systm". Did you mean rollback_system?
    Hint: Allowed here: agent_id, version_management, snapshot_isolation, lifecycle, rollback_system, checks, deploy, events, monitoring. \`git kai-version config validate\` shows every problem in its place.
    [exit 1]"
  `);
});

test("shows every problem in its place", () => {
  const text = "agent_id: my agent\ndeploy:\n  keep: lots\nsnapshot_isolation:\n  filesystem: overlai\n";
  expect(kai(agent(text), "config", "validate").said).toMatchInlineSnapshot(`
    "kai.yaml:1:11: agent_id must be up to 128 letters, digits and . _ - that begins with a letter or digit, without .. and without . or .lock at the end, not "my agent".
     1 | agent_id: my agent
       |           ^

    kai.yaml:3:9: deploy.keep must be a whole number from 1 to 10000, not "lots".
     3 |   keep: lots
       |         ^

    kai.yaml:5:15: snapshot_isolation.filesystem must be one of none, overlay, tmpfs, not "overlai". Did you mean overlay?
     5 |   filesystem: overlai
       |               ^
        allowed: none, overlay, tmpfs

    ✗ kai.yaml: 3 problems.
    [exit 1]"
  `);
});

test("gives the problems as JSON, and exits with 1", () => {
  const run = kai(agent("agent_id: a\ndeploy: {keep: lots}\n"), "config", "validate", "--json");
  expect(run.status).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({
    schemaVersion: 1,
    ok: false,
    problems: [{ file: "kai.yaml", line: 2, column: 16, path: "deploy.keep", allowed: [] }],
  });
});

test("validates a file that is named, wherever it is", () => {
  const place = scratch();
  writeFileSync(path.join(place.dir, "other.yaml"), "agent_id: a\n");
  expect(kai(place, "config", "validate", "other.yaml").said).toBe("✓ other.yaml is valid.\n[exit 0]");
  expect(kai(place, "config", "validate", "none.yaml").said).toContain("Error E123: none.yaml could not be read");
  expect(kai(place, "config", "validate", ".").said).toContain("Error E123");
});

test("takes no terminal's control characters from a file", () => {
  const { said } = kai(agent('agent_id: a\n"x\\u001b[31m\\u0007": 1\n'), "config", "validate");
  expect(said).not.toContain("\u001b");
  expect(said).not.toContain("\u0007");
});

test("says where a file is not UTF-8", () => {
  const { said } = kai(agent(Buffer.from([0x61, 0x3a, 0x0a, 0x62, 0xff])), "config", "validate");
  expect(said).toContain("kai.yaml:2:2: The file is not UTF-8 here.");
});

test("says that a file is too large", () => {
  const { said } = kai(agent(Buffer.from(`agent_id: a\n# ${"é".repeat(1 << 20)}`)), "config", "validate");
  expect(said).toContain("kai.yaml:1:1: The file is larger than 256 KiB.");
});

test("does not wait for what is not a file", () => {
  const place = scratch();
  git(place, "init", "--quiet");
  spawnSync("python3", ["-c", "import os; os.mkfifo('kai.yaml')"], { cwd: place.dir });
  expect(kai(place, "config", "show").said).toContain("Error E123: kai.yaml is not a file.");
});

test("prints the JSON Schema, alone or in a document", () => {
  const place = scratch();
  const schema = JSON.parse(kai(place, "config", "schema").stdout);
  expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
  expect(JSON.parse(kai(place, "config", "schema", "--json").stdout)).toEqual({ schemaVersion: 1, schema });
});
