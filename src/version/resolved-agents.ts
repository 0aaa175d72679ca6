import { readdir } from "node:fs/promises";
import path from "node:path";
import satisfies from "semver/functions/satisfies.js";
import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { readConfigText } from "../agent/find-config.js";
import { withoutRepository } from "../git/environment.js";
import { CONFIG_FILE } from "./agent-repository.js";
import { agentsFolder } from "./agents-folder.js";
import { readAgentHistory } from "./reading.js";

/** Of the other agents that one depends on the version of each, by id; null where none in its range is in force here. */
export type ResolvedAgents = Readonly<Record<string, string | null>>;

/**
 * Resolves `version_management.dependencies.agents`: each is looked for by its id in the folder of agents, and what it has in
 * force is taken where that lies in the range. What cannot be read is not there; nothing is thrown and nothing verified.
 */
export async function resolveAgents(config: AgentConfig, env: NodeJS.ProcessEnv): Promise<ResolvedAgents> {
  const ranges = Object.entries(config.version_management.dependencies.agents);
  if (ranges.length === 0) return {};
  const folders = await findAgents(agentsFolder(env), new Set(ranges.map(([id]) => id)));
  const resolved = ranges.map(async ([id, range]) => {
    const folder = folders.get(id);
    const version = folder === undefined ? null : await versionInForceAt(folder, withoutRepository(env));
    return [id, version !== null && satisfies(version, range) ? version : null] as const;
  });
  return Object.fromEntries(await Promise.all(resolved));
}

/** The folder of each agent; of several with one id the first by name. */
async function findAgents(parent: string, wanted: ReadonlySet<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const names = await readdir(parent).catch(() => []);
  for (const name of names.sort()) {
    if (found.size === wanted.size) break;
    const folder = path.join(parent, name);
    const id = name.startsWith(".") ? undefined : await idOfAgent(folder);
    if (id !== undefined && wanted.has(id) && !found.has(id)) found.set(id, folder);
  }
  return found;
}

async function idOfAgent(folder: string): Promise<string | undefined> {
  try {
    return (await loadAgentConfig(await readConfigText(path.join(folder, CONFIG_FILE), CONFIG_FILE), CONFIG_FILE))
      .agent_id;
  } catch {
    return undefined;
  }
}

async function versionInForceAt(folder: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    return (await readAgentHistory(folder, env)).history.current?.version ?? null;
  } catch {
    return null;
  }
}
