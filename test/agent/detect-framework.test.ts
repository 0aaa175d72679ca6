import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createClassifier } from "../../src/agent/component.js";
import { type Detection, detectFramework } from "../../src/agent/detect-framework.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { formatNewConfig } from "../../src/agent/write-config.js";

const detect = (files: Record<string, string>): Promise<Detection> =>
  detectFramework(Object.keys(files), async (path) => files[path]);

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

const CLAUDE_FILES = {
  "CLAUDE.md": "# Release desk",
  ".claude/agents/reviewer.md": "---\nname: reviewer\n---",
  ".claude/commands/notes.md": "",
  ".claude/skills/release-notes/SKILL.md": "",
  ".claude/settings.json": "{}",
};

const MCP_SERVER = {
  "package.json":
    '{\n  "name": "@team/notes-server",\n  "dependencies": {\n    "@modelcontextprotocol/sdk": "^1.12.0"\n  }\n}',
  "src/index.ts": 'import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";',
  "src/tools/notes.ts": "",
};

test("knows a LangGraph application by its own file", async () => {
  expect(
    await detect({
      "langgraph.json": '{"dependencies": ["."], "graphs": {"agent": "./src/agent/graph.py:graph"}}',
      "pyproject.toml": '[project]\nname = "order-desk"\ndependencies = [\n  "langgraph>=1.0.0",\n]\n',
      "src/agent/graph.py": "",
      "src/agent/prompts.py": "",
      "src/agent/tools.py": "",
      "checkpoints.sqlite": "",
    }),
  ).toEqual({
    framework: "langgraph",
    evidence: [
      { path: "langgraph.json", reason: "LangGraph's application file" },
      { path: "pyproject.toml", line: 4, reason: "depends on langgraph" },
    ],
    artifacts: {
      prompts: ["prompts/**", "*.prompt.md", "prompts.py"],
      tools: ["tools/**", "*.tool.json", "tools.py"],
    },
    stateCandidates: ["checkpoints.sqlite"],
    runtime: "python",
    name: "order-desk",
  });
});

test("knows LangGraph in JavaScript", async () => {
  const found = await detect({
    "langgraph.json": '{"node_version": "20", "graphs": {"agent": "./src/agent.ts:graph"}}',
    "package.json": '{"name": "desk", "dependencies": {"@langchain/langgraph": "^1"}}',
  });
  expect(found).toMatchObject({ framework: "langgraph", runtime: "node", name: "desk" });
});

test.each([
  [
    "its YAML files",
    { "src/crew/config/agents.yaml": "", "src/crew/config/tasks.yaml": "" },
    "src/crew/config/agents.yaml",
  ],
  ["its JSON files", { "crew.jsonc": "{}", "agents/writer.jsonc": "{}" }, "crew.jsonc"],
  ["its dependency", { "pyproject.toml": '[project]\ndependencies = ["crewai[tools]>=0.100,<1"]' }, "pyproject.toml"],
  ["its table", { "pyproject.toml": '[tool.crewai]\ntype = "crew"' }, "pyproject.toml"],
])("knows a crew by %s", async (_, files, path) => {
  const found = await detect(files as unknown as Record<string, string>);
  expect(found.framework).toBe("crewai");
  expect(found.evidence[0]?.path).toBe(path);
});

test("takes a crew's agents and tasks for prompts, and its knowledge for data", async () => {
  const files = {
    "src/c/config/agents.yaml": "",
    "src/c/config/tasks.yaml": "",
    "knowledge/user.txt": "",
    "src/c/tools/search.py": "",
  };
  const config = parseAgentConfig(formatNewConfig(await detect(files), "crew"), "kai.yaml");
  const kindOf = createClassifier(config.version_management.artifacts);
  expect(Object.keys(files).map(kindOf)).toEqual(["prompts", "prompts", "data", "tools"]);
});

test("knows a project of Claude Code", async () => {
  const found = await detect({ ...CLAUDE_FILES, ".mcp.json": "{}" });
  expect(found.framework).toBe("claude-code");
  expect(found.evidence.map(({ path }) => path)).toEqual([
    ".claude/agents/reviewer.md",
    ".claude/commands/notes.md",
    ".claude/skills/release-notes/SKILL.md",
    "CLAUDE.md",
    ".mcp.json",
  ]);
  expect(found.artifacts).toMatchObject({ tools: expect.arrayContaining([".mcp.json"]) });
});

test("does not take a repository for an agent because it was written with Claude Code", async () => {
  expect((await detect({ "CLAUDE.md": "", "main.rs": "" })).framework).toBe("generic");
  expect((await detect({ ...MCP_SERVER, ...CLAUDE_FILES })).framework).toBe("mcp-server");
});

test("knows an MCP server by its SDK and the code that makes it", async () => {
  const found = await detect(MCP_SERVER);
  expect(found).toMatchObject({ framework: "mcp-server", runtime: "node", name: "notes-server" });
  expect(found.evidence).toEqual([
    { path: "package.json", line: 4, reason: "depends on an MCP SDK" },
    { path: "src/index.ts", line: 1, reason: "makes an MCP server" },
  ]);
  const python = { "requirements.txt": "# none\nmcp[cli]>=1.2\n", "server.py": "\nmcp = FastMCP('notes')\n" };
  expect(await detect(python)).toMatchObject({ framework: "mcp-server", runtime: "python" });
  expect((await detect({ "requirements.txt": "mcp\n", "client.py": "from mcp import ClientSession" })).framework).toBe(
    "generic",
  );
});

test.each([
  ["autogen", { "requirements.txt": "httpx\nautogen-agentchat~=0.7\n" }],
  ["autogen", { "pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.11'\npyautogen = '^0.2'" }],
  ["openai-agents", { "requirements.txt": "openai-agents==0.3.0" }],
  ["openai-agents", { "package.json": '{"dependencies": {"@openai/agents": "^0.1"}}' }],
  ["generic", { "requirements.txt": "openai==1.0\nlanggraph-cli\n" }],
  ["generic", { "pyproject.toml": 'name = "crewai"' }],
  ["generic", { "package.json": "not JSON", "langgraph.json": "[" }],
  ["generic", {}],
])("finds %s in %j", async (framework, files) => {
  expect((await detect(files as Record<string, string>)).framework).toBe(framework);
});

test("does not look at other projects, tests and examples", async () => {
  const found = await detect({
    "examples/one/langgraph.json": '{"graphs": {}}',
    "node_modules/x/package.json": '{"dependencies": {"@openai/agents": "1"}}',
    "tests/fixtures/memory.sqlite": "",
  });
  expect(found).toMatchObject({ framework: "generic", stateCandidates: [] });
});

test("finds what looks like runtime state", async () => {
  const paths = [
    "memory.sqlite",
    "state.json",
    "store/agent.db",
    "memory/notes.md",
    "checkpoints/1.json",
    "src/memory/index.ts",
    "prompts/a.md",
    "we[i]rd.db",
  ];
  const found = await detectFramework(paths, async () => undefined);
  expect(found.stateCandidates).toEqual(["checkpoints/", "memory.sqlite", "memory/", "state.json", "store/agent.db"]);
});

test("reads a bounded number of files", async () => {
  let reads = 0;
  const files = Array.from({ length: 5000 }, (_, index) => [
    `a${index}/package.json`,
    `a${index}/server.py`,
    `a${index}/langgraph.json`,
  ]);
  await detectFramework(files.flat(), async () => {
    reads++;
    return '{"dependencies": {}}';
  });
  expect(reads).toBeLessThanOrEqual(40);
});

test.each([
  ["langgraph-agent", "langgraph"],
  ["crewai-crew", "crewai"],
  ["claude-code-agent", "claude-code"],
  ["mcp-server", "mcp-server"],
  ["document-summariser", "generic"],
])("knows the test agent %s", async (agent, framework) => {
  const base = fileURLToPath(new URL(`../../test-repos/${agent}/files/base/`, import.meta.url));
  const found = await detectFramework(filesIn(base), async (file) => readFileSync(base + file, "utf8"));
  expect(found.framework).toBe(framework);
});

test("writes a kai.yaml that the parser takes, whatever was found", async () => {
  const part = fc.stringMatching(/^[\w .'"#:{}[\]!&*@-]{1,12}$/);
  const anyPath = fc.oneof(
    fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
    part.map((name) => `${name}.sqlite`),
    fc.constantFrom(
      "langgraph.json",
      ".claude/agents/a.md",
      "config/agents.yaml",
      "config/tasks.yaml",
      "state.json",
      "é/\u2028.db",
    ),
  );
  const id = fc.oneof(
    fc
      .stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}(\.[A-Za-z0-9_-]{1,8}){0,3}$/)
      .filter((text) => !text.endsWith(".lock")),
    fc.constantFrom("null", "true", "1.10", "0x1F", "1e3", "yes"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyPath, { maxLength: 12 }), id, async (paths, agentId) => {
      const detection = await detectFramework(paths, async () => "{}");
      const config = parseAgentConfig(formatNewConfig(detection, agentId), "kai.yaml");
      expect(config.agent_id).toBe(agentId);
      expect(config.version_management.artifacts.state.include).toEqual(detection.stateCandidates);
    }),
  );
});
