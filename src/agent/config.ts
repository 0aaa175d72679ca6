import type { KAI_YAML } from "./kai-yaml/kai-yaml.js";
import { SNAPSHOT_ISOLATION } from "./kai-yaml/snapshot-isolation.js";
import { readConfig } from "./read-config.js";
import type { ValueOf } from "./schema.js";

/**
 * kai.yaml with every default filled in, under the names that it has there. Durations, sizes and rates are as written
 * and known to be good: `parseDuration`, `parseSize` and `parseRate` read them. What is not set is null.
 */
export type AgentConfig = ValueOf<typeof KAI_YAML>;

export type ArtifactsConfig = AgentConfig["version_management"]["artifacts"];
export type SnapshotTest = AgentConfig["snapshot_isolation"]["tests"][number];

/** Configurations that were read before, by their texts. */
export interface KeptConfigs {
  find(text: string): AgentConfig | undefined;
  keep(text: string, config: AgentConfig): Promise<void>;
}

/** The configuration that `text` says, in any of its forms. Throws E106 with every problem in `data.problems`. */
export async function loadAgentConfig(text: string, file: string, kept?: KeptConfigs): Promise<AgentConfig> {
  if (last?.text === text) return last.config;
  const config = kept?.find(text) ?? (await readAnew(text, file, kept));
  last = { text, config };
  return config;
}

/** What was read last: of the working tree, the version and the branch a command mostly reads the same text. */
let last: { readonly text: string; readonly config: AgentConfig } | undefined;

/** With the parser of YAML, which is loaded for that alone. */
async function readAnew(text: string, file: string, kept: KeptConfigs | undefined): Promise<AgentConfig> {
  const { parseAgentConfig } = await import("./parse-agent-config.js");
  const config = parseAgentConfig(text, file);
  await kept?.keep(text, config);
  return config;
}

const NOTHING = { kind: "map", at: { line: 1, column: 1 }, path: "", entries: new Map() } as const;

/** `snapshot_isolation` of a kai.yaml that says nothing of it. */
export const builtInIsolation = (): AgentConfig["snapshot_isolation"] =>
  readConfig(SNAPSHOT_ISOLATION, NOTHING, "kai.yaml").value as AgentConfig["snapshot_isolation"];
