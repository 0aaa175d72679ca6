import { type AgentConfig, loadAgentConfig } from "../agent/config.js";
import { decodeConfig, LARGEST_CONFIG } from "../agent/find-config.js";
import { KaiError } from "../error.js";
import { parseTree } from "../git/object.js";
import type { ObjectReader } from "../git/object-reader.js";
import { CONFIG_FILE } from "./agent-repository.js";

const FILES: readonly string[] = ["100644", "100755"];

/**
 * The bytes of the kai.yaml that a commit or tree holds, of one that is too large no more than tells that; null where what is called so
 * is no file (what a link says where it leads is no configuration, and what is there no version's), undefined where nothing is.
 */
export async function findConfigFile(reader: ObjectReader, commit: string): Promise<Buffer | null | undefined> {
  const root = await reader.find(`${commit}^{tree}`);
  const entries = root && parseTree(root.content, root.id.length / 2);
  const entry = entries?.find(({ name }) => name.toString("latin1") === CONFIG_FILE);
  if (entry === undefined) return undefined;
  const object = FILES.includes(entry.mode) ? await reader.find(entry.id, LARGEST_CONFIG + 1) : undefined;
  return object?.type === "blob" ? object.content : null;
}

/** The configuration that a commit holds; null where it has none that can be read today. */
export async function findVersionConfig(reader: ObjectReader, commit: string): Promise<AgentConfig | null> {
  const content = await findConfigFile(reader, commit);
  if (!content) return null;
  try {
    return await loadAgentConfig(decodeConfig(content, CONFIG_FILE), CONFIG_FILE);
  } catch (cause) {
    if (cause instanceof KaiError && cause.code === "E106") return null;
    throw cause;
  }
}
