import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { nearest } from "../agent/nearest.js";
import { KaiError } from "../error.js";
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
      .filter(
        (name) => !name.startsWith(".") && statSync(path.join(folder, name), { throwIfNoEntry: false })?.isDirectory(),
      )
      .sort();
  } catch {
    return [];
  }
}
