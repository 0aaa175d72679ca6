import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type SmallAgent, smallAgent } from "../deploy/small-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

function kai({ dir, env }: SmallAgent, ...args: string[]): string {
  const run = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: dir, env, input: "", encoding: "utf8" });
  const text = `${run.stdout}${run.stderr}[exit ${run.status}]`;
  return text.replace(/\b[0-9a-f]{12}\b/g, "<commit>");
}

const compareJson = (agent: SmallAgent, ...args: string[]) =>
  JSON.parse(kai(agent, "compare", ...args, "--json").replace(/\[exit 0\]$/, ""));

const BASE = {
  "logic.py": "print('hello')\n",
  "old.py": "OLD = 1\n",
  "prompts/answer.md": "Answer the question.\n",
  "config.yaml": "# how the model answers\nmodel:\n  temperature: 0.2\n  stop: [end]\n",
  "tools/search.tool.json": '{\n  "name": "search",\n  "inputSchema": { "required": ["query"] }\n}\n',
  "requirements.txt": "requests==2.31.0\nidna==3.6\n",
  "state.json": '{"asked": 1}\n',
};

/** 1.0.0, and a 1.1.0 that changes something of every kind. */
async function twoVersions(): Promise<SmallAgent> {
  const agent = await smallAgent(BASE);
  await agent.create();
  agent.commit("feat: search further", {
    "logic.py": "print('hello there')\n",
    "old.py": undefined,
    "lib/old.py": "OLD = 1\n",
    "prompts/answer.md": "Answer the question in a letter.\n",
    "config.yaml": "model:\n  temperature: 0.7\n  top_p: 1\n  stop: [end]\n",
    "tools/search.tool.json": '{\n  "name": "search",\n  "inputSchema": { "required": ["query", "limit"] }\n}\n',
    "requirements.txt": "requests==3.0.0\nurllib3==2.2.0\n",
    "data/handbook.md": "# Handbook\n",
  });
  agent.write({ "state.json": '{"asked": 12}\n' });
  await agent.create();
  return agent;
}

test("tells everything that differs between two versions", async () => {
  const agent = await twoVersions();
  expect(kai(agent, "compare", "v1.0.0", "1.1.0")).toMatchInlineSnapshot(`
    "ai.example.small  1.0.0 -> 1.1.0  1 commit later

    Artifacts  1 added, 5 changed, 1 renamed
      > code         lib/old.py (was old.py)
      ~ code         logic.py
      ~ config       config.yaml
      + data         data/handbook.md
      ~ environment  requirements.txt
      ~ prompts      prompts/answer.md
      ~ tools        tools/search.tool.json

    Configuration  3 changes in 2 files
      ~ config.yaml:2  model.temperature: 0.2 -> 0.7
      + config.yaml:3  model.top_p: 1
      + tools/search.tool.json:3  inputSchema.required[1]: limit

    Dependencies  1 added, 1 removed, 1 changed
      + urllib3 2.2.0 (direct)
      - idna 3.6 (direct)
      ~ requests 2.31.0 -> 3.0.0 (major, direct)

    State  1 changed
      ~ state.json  13 -> 14 bytes

    Compatibility
      bump      minor is needed, minor was made
                minor  <commit> (feat: search further) adds a feature
      upgrade   1.1.0 can stand in for 1.0.0
      downgrade 1.0.0 cannot stand in for 1.1.0
      migration not required
      rollback  1.1.0 -> 1.0.0 is possible
    [exit 0]"
  `);
});

test("the same as JSON, key by key", async () => {
  const agent = await twoVersions();
  const compared = compareJson(agent, "1.0.0", "current");
  expect(compared).toMatchObject({
    schemaVersion: 1,
    agent: "ai.example.small",
    from: "1.0.0",
    to: "1.1.0",
    dependencies: {
      added: [{ purl: "pkg:pypi/urllib3@2.2.0", direct: true }],
      removed: [{ purl: "pkg:pypi/idna@3.6" }],
      changed: [{ name: "requests", from: "2.31.0", to: "3.0.0", level: "major", file: "requirements.txt", line: 1 }],
      problems: [],
    },
    state: { changed: true, added: [], removed: [], modified: [{ path: "state.json", size: { from: 13, to: 14 } }] },
    compatibility: { relation: "ahead", commits: 1, undone: 0, required: "minor", declared: "minor" },
    migrationRequired: false,
    rollbackPossible: true,
    reasons: { migration: [], rollback: [] },
  });
  expect(compared.artifacts.added).toContainEqual(
    expect.objectContaining({ path: "lib/old.py", component: "code", renamedFrom: "old.py" }),
  );
  expect(compared.configuration.map(({ path }: { path: string }) => path)).toEqual([
    "config.yaml",
    "tools/search.tool.json",
  ]);
  expect(compared.configuration[0].changes).toContainEqual({
    kind: "changed",
    key: "model.temperature",
    before: 0.2,
    after: 0.7,
    line: { before: 3, after: 2 },
  });
  expect(compared).not.toHaveProperty("patch");
});

test("the way back is told as one, and a breaking change on it as a migration", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  agent.commit("feat!: keep memory in another form", { "logic.py": "print('new')\n" });
  await agent.create();
  const back = compareJson(agent, "2.0.0", "1.0.0");
  expect(back.compatibility).toMatchObject({ relation: "behind", required: null, backward: false, forward: false });
  expect(back.migrationRequired).toBe(true);
  expect(back.reasons.migration[0]).toMatch(
    /\(feat!: keep memory in another form\) breaks: .*, and 2\.0\.0 has captured state$/,
  );
  const text = kai(agent, "compare", "2.0.0", "1.0.0");
  expect(text).toContain("2.0.0 -> 1.0.0  1 commit earlier");
  expect(text).toContain("1.0.0 does not descend from 2.0.0: its commits tell no bump");
});

test("what is not a version yet can be compared: current against HEAD", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  agent.commit("fix: say it better", { "prompts/answer.md": "Answer well.\n" });
  const compared = compareJson(agent, "current", "HEAD");
  expect(compared).toMatchObject({
    from: "1.0.0",
    to: "HEAD",
    hashes: { to: null },
    artifacts: { modified: [{ path: "prompts/answer.md", component: "prompts" }] },
    configuration: [],
    dependencies: { added: [], removed: [], changed: [] },
    state: { changed: null, problems: ["HEAD is no version: no state is captured with it"] },
    compatibility: { required: "patch", declared: null, backward: true, forward: true },
    rollbackPossible: true,
  });
  expect(compareJson(agent, "HEAD", "current")).toMatchObject({
    rollbackPossible: false,
    reasons: { rollback: ["HEAD is no version"] },
  });
});

test("--patch adds git's own diff, whatever differ the repository asks for", async () => {
  const agent = await smallAgent({ ...BASE, ".gitattributes": "*.md diff=planted\n" });
  await agent.create();
  agent.commit("fix: wording", { "prompts/answer.md": "Answer \u001b[31mwell\u001b[0m.\n" });
  agent.git("config", "diff.planted.textconv", "echo planted; touch planted; true");
  agent.git("config", "diff.external", "touch planted; true");
  const text = kai(agent, "compare", "1.0.0", "HEAD", "--patch");
  expect(text).toContain("-Answer the question.\n+Answer well.\n");
  expect(text).not.toContain("\u001b");
  expect(compareJson(agent, "1.0.0", "HEAD", "-p").patch).toMatch(
    /^diff --git a\/prompts\/answer\.md b\/prompts\/answer\.md\n/,
  );
  expect(agent.git("status", "--short")).toBe("");
});

test("the same version twice: nothing differs, and that is said", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  expect(kai(agent, "compare", "1.0.0", "1.0.0")).toMatchInlineSnapshot(`
    "ai.example.small  1.0.0 -> 1.0.0  the same commit

    Artifacts  the same

    Configuration  the same

    Dependencies  the same

    State  the same

    Compatibility
      bump      none is needed
      upgrade   1.0.0 can stand in for 1.0.0
      downgrade 1.0.0 can stand in for 1.0.0
      migration not required
      rollback  1.0.0 -> 1.0.0 is not possible
                they are the same version
    [exit 0]"
  `);
});

test("a configuration file that is too large is named and not read", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  agent.commit("fix: add words", { "words.json": JSON.stringify("x".repeat(2 * 1024 * 1024)) });
  expect(kai(agent, "compare", "1.0.0", "HEAD")).toContain("! words.json  it is larger than 2 MiB\n");
});

test("a file that was only renamed has no other configuration, and odd names do no harm", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  agent.commit("fix: names", { "config.yaml": undefined, "conf/\u001b[31mred\n.yaml": BASE["config.yaml"] });
  const text = kai(agent, "compare", "1.0.0", "HEAD");
  expect(text).toContain("Configuration  the same\n");
  expect(text).toContain("conf/red\\n.yaml (was config.yaml)\n");
  expect(text).not.toContain("\u001b");
  expect(compareJson(agent, "1.0.0", "HEAD")).toMatchObject({
    artifacts: { added: [{ path: "conf/\u001b[31mred\n.yaml", renamedFrom: "config.yaml" }] },
    configuration: [],
  });
});

test("starts the same number of git processes, however many versions and files there are", async () => {
  const agent = await smallAgent(BASE);
  await agent.create("1.1.0");
  const processes = (from: string, to: string) => {
    const trace = path.join(agent.dir, "..", `trace-${from}-${to}`);
    kai({ ...agent, env: { ...agent.env, GIT_TRACE2_EVENT: trace } }, "compare", from, to);
    return readFileSync(trace, "utf8").match(/"event":"start"/g)?.length;
  };
  agent.commit("fix: one", { "config.yaml": "model: {temperature: 0.3}\n" });
  await agent.create();
  const few = processes("1.1.0", "1.1.1");
  for (let index = 0; index < 4; index++) {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, file) => [`conf/${index}-${file}.yaml`, `a: ${file}\n`]),
    );
    agent.commit(`fix: number ${index}`, files);
    await agent.create();
  }
  expect(few).toBeGreaterThan(0);
  expect(processes("1.1.0", "1.1.5")).toBe(few);
});

test("refuses what is no version, and names those there are", async () => {
  const agent = await smallAgent(BASE);
  await agent.create();
  expect(kai(agent, "compare", "1.0.0", "9.0.0")).toMatchInlineSnapshot(`
    "Error E101: There is no version 9.0.0.
    Hint: The newest are 1.0.0; \`git kai-version list\` shows all.
    [exit 1]"
  `);
  expect(kai(agent, "compare", "1.0.0", "newest")).toMatchInlineSnapshot(`
    "Error E107: 'newest' is not a semantic version, nor a version's tag.
    Hint: Name a version such as 1.4.0, its tag, or \`current\`; \`git kai-version list\` shows the versions there are.
    [exit 2]"
  `);
  expect(kai(agent, "compare", "1.0.0")).toMatchInlineSnapshot(`
    "Error E122: Missing required argument 'to'.
    Hint: \`git kai-version compare --help\` shows how it is used.
    [exit 2]"
  `);
});
