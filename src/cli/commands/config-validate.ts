import type { ConfigProblem } from "../../agent/config-problem.js";
import { readAgentConfig } from "../../agent/parse-agent-config.js";
import { KaiError } from "../../error.js";
import { agentConfigFile, namedConfigFile } from "../config-file.js";
import { defineCommand, optional } from "../define-command.js";
import type { Output } from "../output.js";
import { printable } from "../style.js";

interface Validation {
  ok: boolean;
  file: string;
  problems: ConfigProblem[];
}

export const configValidateCommand = defineCommand({
  name: "config validate",
  summary: "Check kai.yaml and show every problem in its place",
  description: "Checks kai.yaml, or FILE, and shows each problem with its line. Exits with 1 where there is one.",
  examples: [{ line: "git kai-version config validate", does: "Check the agent's own kai.yaml" }],
  arguments: { file: optional("The file to check instead of the agent's own") },
  async run({ file: given }, { cwd, env, output }) {
    const found = given === undefined ? await agentConfigFile({ cwd, env, output }) : namedConfigFile(given, cwd);
    const { file, shownAs, read } = found;
    let text = "";
    const problems: ConfigProblem[] = [];
    try {
      text = await read();
      readAgentConfig(text, shownAs);
    } catch (cause) {
      if (!(cause instanceof KaiError) || cause.code !== "E106") throw cause;
      const { problems: found = [] } = (cause.data ?? {}) as { problems?: ConfigProblem[] };
      problems.push(...found);
    }
    output.result({ ok: problems.length === 0, file, problems }, (validation) =>
      describeValidation(validation, shownAs, text, output),
    );
    if (problems.length > 0) process.exitCode = 1;
  },
});

function describeValidation({ problems }: Validation, file: string, text: string, { style }: Output): string {
  if (problems.length === 0) return `${style.green("✓")} ${printable(file)} is valid.`;
  const lines = text.split(/\r?\n/);
  const found = problems.map((problem) => {
    const { line, column, message, allowed } = problem;
    const place = style.bold(printable(`${problem.file}:${line}:${column}:`));
    return [
      `${place} ${printable(message)}`,
      ...excerpt(lines[line - 1] ?? "", line, column, style.dim, style.red),
      ...(allowed.length > 0 ? [`${" ".repeat(String(line).length + 3)}allowed: ${allowed.join(", ")}`] : []),
      "",
    ].join("\n");
  });
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return `${found.join("\n")}\n${style.red("✗")} ${printable(file)}: ${count}.`;
}

const WIDEST_EXCERPT = 160;

function excerpt(
  source: string,
  line: number,
  column: number,
  dim: (text: string) => string,
  red: (text: string) => string,
): string[] {
  if (source.trim() === "" || column > WIDEST_EXCERPT) return [];
  const shown = printable(source.slice(0, WIDEST_EXCERPT)).replaceAll("\t", " ");
  const margin = " ".repeat(String(line).length + 1);
  return [`${dim(` ${line} |`)} ${shown}`, `${dim(`${margin} |`)} ${" ".repeat(column - 1)}${red("^")}`];
}
