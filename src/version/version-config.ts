import { type AgentConfig, parseAgentConfig } from "../agent/config.js";
import { decodeConfig } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import type { ObjectReader } from "../git/object-reader.js";
import { CONFIG_FILE } from "./agent-repository.js";

/** The configuration that a commit holds; null where it has none that can be read today. */
export async function findVersionConfig(reader: ObjectReader, commit: string): Promise<AgentConfig | null> {
  const object = await reader.find(`${commit}:${CONFIG_FILE}`);
  if (object?.type !== "blob") return null;
  try {
    return parseAgentConfig(decodeConfig(object.content, CONFIG_FILE), CONFIG_FILE);
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E106") return null;
    throw cause;
  }
}
