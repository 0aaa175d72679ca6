import type { AgentConfig } from "../../src/agent/config.js";
import type { ConfigProblem } from "../../src/agent/config-problem.js";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { KaiError } from "../../src/error.js";

export const parse = (text: string): AgentConfig => parseAgentConfig(text, "kai.yaml");

export const errorOf = (text: string): KaiError => {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof KaiError) return error;
    throw error;
  }
  throw new Error("Nothing was refused.");
};

export const problemsOf = (text: string): ConfigProblem[] =>
  (errorOf(text).data as { problems: ConfigProblem[] }).problems;

export const said = (text: string): string[] =>
  problemsOf(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
