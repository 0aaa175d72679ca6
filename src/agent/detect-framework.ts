import { suggestArtifacts } from "./detection/artifacts.js";
import {
  findAutogen,
  findClaudeCode,
  findCrewai,
  findLanggraph,
  findMcpServer,
  findOpenaiAgents,
} from "./detection/frameworks.js";
import { Project, type Read } from "./detection/project.js";
import { findStateCandidates } from "./detection/state-candidates.js";

export type Framework = "langgraph" | "crewai" | "claude-code" | "mcp-server" | "autogen" | "openai-agents" | "generic";

/** Why a framework is thought to be there. */
export interface Evidence {
  readonly path: string;
  readonly line?: number;
  readonly reason: string;
}

export interface Detection {
  readonly framework: Framework;
  readonly evidence: readonly Evidence[];
  /** The whole `include` of each kind for which the defaults miss files that are there. */
  readonly artifacts: Readonly<Record<string, readonly string[]>>;
  /** Files and folders (with a slash at the end) that look like runtime state. */
  readonly stateCandidates: readonly string[];
  readonly runtime: "python" | "node" | "other";
  /** The project's own name, fit to be an agent's id. */
  readonly name?: string;
}

// A framework's own file says more than a dependency. An agent that runs in Claude Code may bring MCP servers of its
// own, while many MCP servers are written with Claude Code and have its files: `findClaudeCode` tells them apart.
const FINDERS: readonly { framework: Framework; find: (project: Project) => Promise<Evidence[]> }[] = [
  { framework: "langgraph", find: findLanggraph },
  { framework: "crewai", find: findCrewai },
  { framework: "autogen", find: findAutogen },
  { framework: "openai-agents", find: findOpenaiAgents },
  { framework: "claude-code", find: findClaudeCode },
  { framework: "mcp-server", find: findMcpServer },
];

/**
 * What an agent is built with, from the paths of its files and a few of their texts. `read` gives a file's text, or
 * undefined where it has none; a bounded number of files is read, and nothing is ever executed.
 */
export async function detectFramework(files: readonly string[], read: Read): Promise<Detection> {
  const project = new Project(files, read);
  let found: { framework: Framework; evidence: Evidence[] } = { framework: "generic", evidence: [] };
  for (const { framework, find } of FINDERS) {
    const evidence = await find(project);
    if (evidence.length === 0) continue;
    found = { framework, evidence };
    break;
  }
  const name = await project.name();
  return {
    ...found,
    artifacts: suggestArtifacts(project.files, found.framework),
    stateCandidates: findStateCandidates(project.files),
    runtime: await project.runtime(),
    ...(name !== undefined && { name }),
  };
}
