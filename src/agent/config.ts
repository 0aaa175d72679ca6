import { conflictsOf } from "./config-conflicts.js";
import { configError } from "./config-problem.js";
import { KAI_YAML } from "./kai-yaml/kai-yaml.js";
import { SNAPSHOT_ISOLATION } from "./kai-yaml/snapshot-isolation.js";
import { withoutOlderForms } from "./older-forms.js";
import { parseYaml } from "./parse-yaml.js";
import { type ConfigValue, readConfig } from "./read-config.js";
import type { ValueOf } from "./schema.js";

/**
 * kai.yaml with every default filled in, under the names that it has there. Durations, sizes and rates are as written
 * and known to be good: `parseDuration`, `parseSize` and `parseRate` read them. What is not set is null.
 */
export type AgentConfig = ValueOf<typeof KAI_YAML>;

export type ArtifactsConfig = AgentConfig["version_management"]["artifacts"];
export type SnapshotTest = AgentConfig["snapshot_isolation"]["tests"][number];

/** The configuration that `text` says, in any of its forms. Throws E106 with every problem in `data.problems`. */
export function parseAgentConfig(text: string, file: string): AgentConfig {
  if (last?.text !== text) last = { text, config: readAgentConfig(text, file).config };
  return last.config;
}

/** What was read last: of the working tree, the version and the branch a command mostly reads the same text. */
let last: { readonly text: string; readonly config: AgentConfig } | undefined;

const NOTHING = { kind: "map", at: { line: 1, column: 1 }, path: "", entries: new Map() } as const;

/** `snapshot_isolation` of a kai.yaml that says nothing of it. */
export const builtInIsolation = (): AgentConfig["snapshot_isolation"] =>
  readConfig(SNAPSHOT_ISOLATION, NOTHING, "kai.yaml").value as AgentConfig["snapshot_isolation"];

/** The configuration, and each key's value with where it comes from. Throws E106. */
export function readAgentConfig(text: string, file: string): { config: AgentConfig; values: readonly ConfigValue[] } {
  const { root, problems } = withoutOlderForms(parseYaml(text, file), file);
  const read = readConfig(KAI_YAML, root, file);
  problems.push(...read.problems);
  const config = read.value as AgentConfig;
  const places = new Set(problems.map(({ path }) => path));
  problems.push(...conflictsOf(config, read.values, file).filter(({ path }) => !places.has(path)));
  if (problems.length > 0) throw configError(problems);
  return { config, values: read.values };
}
