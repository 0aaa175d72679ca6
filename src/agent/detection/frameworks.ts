import type { Evidence } from "../detect-framework.js";
import { type FoundDependency, type Project, parseObject } from "./project.js";

/** langgraph.json with graphs (the LangGraph CLI's application structure), or the package. */
export async function findLanggraph(project: Project): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  for (const path of project.matching(/(?:^|\/)langgraph\.json$/).slice(0, 3)) {
    const { graphs, dependencies } = parseObject((await project.text(path)) ?? "");
    if (graphs ?? dependencies) evidence.push({ path, reason: "LangGraph's application file" });
  }
  evidence.push(...dependency(await project.findPythonDependency(["langgraph"]), "depends on langgraph"));
  evidence.push(
    ...dependency(await project.findNodeDependency(["@langchain/langgraph"]), "depends on @langchain/langgraph"),
  );
  return evidence;
}

/** config/agents.yaml beside tasks.yaml, crew.jsonc beside agents/, or the package. */
export async function findCrewai(project: Project): Promise<Evidence[]> {
  const evidence: Evidence[] = [];
  const [agents] = project.matching(/(?:^|\/)config\/agents\.ya?ml$/);
  const tasks = agents?.replace(/agents(\.ya?ml)$/, "tasks$1");
  if (agents !== undefined && tasks !== undefined && project.files.includes(tasks)) {
    evidence.push({ path: agents, reason: "agents of a crew" }, { path: tasks, reason: "tasks of a crew" });
  }
  const [crew] = project.matching(/(?:^|\/)crew\.jsonc$/);
  if (crew !== undefined && project.matching(/(?:^|\/)agents\/[^/]+\.jsonc$/).length > 0) {
    evidence.push({ path: crew, reason: "a crew" });
  }
  evidence.push(...dependency(await project.findPythonDependency(["crewai"]), "depends on crewai"));
  for (const path of project.matching(/^pyproject\.toml$/)) {
    const line = ((await project.text(path)) ?? "").split(/\r?\n/).findIndex((each) => /^\[tool\.crewai\]/.test(each));
    if (line >= 0) evidence.push({ path, line: line + 1, reason: "a project of CrewAI" });
  }
  return evidence;
}

export async function findAutogen(project: Project): Promise<Evidence[]> {
  const packages = ["autogen-agentchat", "autogen-core", "autogen-ext", "pyautogen", "ag2", "autogen"];
  return dependency(await project.findPythonDependency(packages), "depends on AutoGen");
}

export async function findOpenaiAgents(project: Project): Promise<Evidence[]> {
  return [
    ...dependency(await project.findPythonDependency(["openai-agents"]), "depends on openai-agents"),
    ...dependency(await project.findNodeDependency(["@openai/agents"]), "depends on @openai/agents"),
  ];
}

/** Subagents, commands or skills of Claude Code; they count as the agent where it is not an MCP server itself. */
export async function findClaudeCode(project: Project): Promise<Evidence[]> {
  const parts = [
    { expression: /^\.claude\/agents\/.+\.md$/, reason: "a subagent of Claude Code" },
    { expression: /^\.claude\/commands\/.+\.md$/, reason: "a command of Claude Code" },
    { expression: /^\.claude\/skills\/[^/]+\/SKILL\.md$/, reason: "a skill of Claude Code" },
  ];
  const instructions = project
    .matching(/^(?:CLAUDE\.md|\.claude\/CLAUDE\.md)$/)
    .map((path) => ({ path, reason: "instructions for Claude Code" }));
  const servers = project.matching(/^\.mcp\.json$/).map((path) => ({ path, reason: "MCP servers of the project" }));
  const own = parts.flatMap(({ expression, reason }) =>
    project
      .matching(expression)
      .slice(0, 1)
      .map((path) => ({ path, reason })),
  );
  const isAgent = own.length > 0 || (instructions.length > 0 && servers.length > 0);
  if (!isAgent) return [];
  if (servers.length === 0 && (await findMcpServer(project)).length > 0) return [];
  return [...own, ...instructions, ...servers];
}

const SERVER_CODE = /\bnew (?:Mcp)?Server\s*\(|\bFastMCP\s*\(|\bMcpServer\b|from mcp\.server|import mcp\.server/;

/** A dependency on an MCP SDK, together with code that makes a server. */
export async function findMcpServer(project: Project): Promise<Evidence[]> {
  const asked =
    (await project.findNodeDependency(["@modelcontextprotocol/sdk", "@modelcontextprotocol/server", "fastmcp"])) ??
    (await project.findPythonDependency(["mcp", "fastmcp"]));
  if (!asked) return [];
  for (const path of project.matching(/\.(?:[cm]?[jt]s|py)$/).slice(0, 20)) {
    const lines = ((await project.text(path)) ?? "").split("\n");
    const line = lines.findIndex((each) => SERVER_CODE.test(each));
    if (line >= 0) {
      return [...dependency(asked, "depends on an MCP SDK"), { path, line: line + 1, reason: "makes an MCP server" }];
    }
  }
  return [];
}

const dependency = (found: FoundDependency | undefined, reason: string): Evidence[] =>
  found ? [{ ...found, reason }] : [];
