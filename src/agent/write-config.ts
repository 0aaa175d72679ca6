import { KaiError } from "../error.js";
import type { Detection, Framework } from "./detect-framework.js";
import { AGENT_ID } from "./kai-yaml/agent-id.js";

const FRAMEWORK_NAMES: Readonly<Record<Framework, string | undefined>> = {
  langgraph: "LangGraph",
  crewai: "CrewAI",
  "claude-code": "Claude Code",
  "mcp-server": "an MCP server",
  autogen: "AutoGen",
  "openai-agents": "the OpenAI Agents SDK",
  generic: undefined,
};

/** The kai.yaml that `init` writes: the id and what differs from the defaults. Throws E122 where the id is not good. */
export function formatNewConfig(detection: Detection, agentId: string): string {
  if (!AGENT_ID.pattern.test(agentId)) {
    throw new KaiError("E122", `${JSON.stringify(agentId)} cannot be an agent's id.`, {
      hint: `An id is ${AGENT_ID.expected}. Give one with --agent-id.`,
    });
  }
  const framework = FRAMEWORK_NAMES[detection.framework];
  const kinds = Object.entries(detection.artifacts).filter(([, globs]) => globs.length > 0);
  const lines = [
    "# What git kai-version knows of this agent. Only agent_id must be here;",
    "# `git kai-version config show --all` lists every key with its default.",
    `agent_id: ${plainOrQuoted(agentId)}`,
  ];
  if (kinds.length > 0 || detection.stateCandidates.length > 0) {
    lines.push("", "version_management:", "  artifacts:");
    if (kinds.length > 0) {
      lines.push(`    # Globs as in .gitignore${framework === undefined ? "" : `, for the layout of ${framework}`}.`);
      for (const [kind, globs] of kinds) lines.push(`    ${kind}:`, `      include: ${flowList(globs)}`);
    }
    if (detection.stateCandidates.length > 0) {
      lines.push(
        "    # Runtime state: ignored by git, captured with each version.",
        "    state:",
        `      include: ${flowList(detection.stateCandidates)}`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

const flowList = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(", ")}]`;

const plainOrQuoted = (text: string): string =>
  /^[a-z]/i.test(text) && !/^(?:null|true|false|yes|no|on|off)$/i.test(text) ? text : JSON.stringify(text);

const BLOCK_START = "# >>> runtime state, captured by git kai-version; this block is written by it";
const BLOCK_END = "# <<< runtime state";

/**
 * The text of .gitignore with the paths of runtime state in a marked block, which replaces the block that is there.
 * SQLite's files get their -wal, -shm and -journal. Applied twice it changes nothing.
 */
export function planIgnoreLines(existing: string, statePaths: readonly string[]): string {
  const eol = existing.includes("\r\n") ? "\r\n" : "\n";
  const lines = existing === "" ? [] : existing.replace(/\r?\n$/, "").split(/\r?\n/);
  const start = lines.indexOf(BLOCK_START);
  const end = start < 0 ? -1 : lines.indexOf(BLOCK_END, start);
  const block = statePaths.length === 0 ? [] : [BLOCK_START, ...statePaths.flatMap(withSiblings), BLOCK_END];
  if (start >= 0 && end > start) lines.splice(start, end - start + 1, ...block);
  else if (block.length > 0) lines.push(...(lines.length > 0 && lines.at(-1) !== "" ? [""] : []), ...block);
  else return existing;
  return lines.length === 0 ? "" : `${lines.join(eol)}${eol}`;
}

const withSiblings = (path: string): string[] =>
  !path.startsWith("!") && /\.(?:sqlite3?|db3?)$/i.test(path)
    ? [path, ...["-wal", "-shm", "-journal"].map((suffix) => path + suffix)]
    : [path];
