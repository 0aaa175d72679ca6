import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
import { LOG_REF } from "../operation/entry.js";
import { CONFIG_FILE } from "../version/agent-repository.js";
import { agentsFolder } from "../version/agents-folder.js";

/** So many agents are named in a hint. */
const LISTED = 10;

/** Refuses (E104) the name of an agent that is no folder of `$KAI_AGENTS`, and says which there are. */
export function requireAgentFolder(agent: string, env: NodeJS.ProcessEnv): void {
  const folder = path.resolve(agentsFolder(env));
  if (statSync(path.join(folder, agent), { throwIfNoEntry: false })?.isDirectory()) return;
  const agents = listAgents(folder);
  const close = nearest(agent, agents);
  const more = agents.length > LISTED ? ` and ${agents.length - LISTED} more` : "";
  const hint = [
    ...(close === undefined ? [] : [`Did you mean ${close}?`]),
    agents.length === 0
      ? "There is no agent in it."
      : `The agents in it: ${agents.slice(0, LISTED).join(", ")}${more}.`,
    "$KAI_AGENTS names the folder of your agents (default: ~/agents); a path, such as `./clerk`, is taken too.",
  ];
  throw new KaiError("E104", `There is no agent ${agent} in ${folder}.`, { hint: hint.join(" "), data: { agents } });
}

function listAgents(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith(".") && isAgent(path.join(folder, name)))
      .sort();
  } catch {
    return [];
  }
}

/** Whether it has a kai.yaml, or a log, which a bare repository has in the folder itself. */
function isAgent(folder: string): boolean {
  if (existsSync(path.join(folder, CONFIG_FILE))) return true;
  return [path.join(folder, ".git"), folder].some(
    (git) => existsSync(path.join(git, LOG_REF)) || packedRefs(git).includes(` ${LOG_REF}\n`),
  );
}

function packedRefs(git: string): string {
  try {
    return readFileSync(path.join(git, "packed-refs"), "utf8");
  } catch {
    return "";
  }
}
