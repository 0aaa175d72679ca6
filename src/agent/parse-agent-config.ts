import type { AgentConfig } from "./config.js";
import { conflictsOf } from "./config-conflicts.js";
import { configError } from "./config-problem.js";
import { KAI_YAML } from "./kai-yaml/kai-yaml.js";
import { withoutOlderForms } from "./older-forms.js";
import { parseYaml } from "./parse-yaml.js";
import { type ConfigValue, readConfig } from "./read-config.js";

/** The configuration that `text` says, in any of its forms. Throws E106 with every problem in `data.problems`. */
export const parseAgentConfig = (text: string, file: string): AgentConfig => readAgentConfig(text, file).config;

/** The same, and each key's value with where it comes from. */
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
