import { type ConfigSource, configSources } from "../../agent/config-sources.js";
import { agentConfigFile } from "../config-file.js";
import { defineCommand, flag } from "../define-command.js";
import type { Output } from "../output.js";
import { printable } from "../style.js";
import { formatTable } from "../table.js";

interface ShownConfig {
  agentId: string;
  file: string;
  keys: ConfigSource[];
}

export const configShowCommand = defineCommand({
  name: "config show",
  summary: "Show what is in effect, and where each value comes from",
  description:
    "Shows the keys of kai.yaml that are in effect or set, with their values and where those come from. A key that is set and changes nothing yet is marked, and so is a value with which no snapshot can be had.",
  examples: [
    { line: "git kai-version config show", does: "What is in effect or set" },
    { line: "git kai-version config show --all", does: "Every key there is" },
  ],
  options: { all: flag("Show every key, also the defaults that change nothing yet") },
  async run({ all }, { cwd, env, output }) {
    const { file, shownAs, read } = await agentConfigFile({ cwd, env, output });
    const keys = configSources(await read(), shownAs);
    const agentId = String(keys.find(({ key }) => key === "agent_id")?.value);
    output.result({ agentId, file, keys }, (config) => describeConfig(config, all, output));
  },
});

function describeConfig({ agentId, keys }: ShownConfig, all: boolean, { style, columns }: Output): string {
  const shown = keys.filter(
    ({ key, inEffect, source }) => key !== "agent_id" && (all || inEffect || source !== "default"),
  );
  const rows: string[][] = [];
  let section = "";
  for (const { key, value, source, inEffect, refused } of shown) {
    const [first = ""] = key.split(/[.[]/);
    if (first !== section) rows.push([], [style.bold(first)]);
    section = first;
    rows.push([
      `  ${printable(key.slice(first.length).replace(/^\./, "") || first)}`,
      printable(formatValue(value)),
      source === "default" ? style.dim(source) : style.cyan(printable(source)),
      inEffect ? "" : refused ? style.red("refused: no snapshot (E103)") : style.yellow("changes nothing yet"),
    ]);
  }
  const table = formatTable(
    [{ title: "KEY" }, { title: "VALUE", shrink: "cut" }, { title: "SOURCE" }, { title: "" }],
    rows,
    columns,
  );
  const source = keys.find(({ key }) => key === "agent_id")?.source ?? "";
  const hidden = keys.length - 1 - shown.length;
  return [
    `${style.bold(agentId)}  ${style.dim(source)}`,
    "",
    table,
    ...(hidden > 0
      ? ["", style.dim(`${hidden} more keys have their default and change nothing yet; --all shows them.`)]
      : []),
  ].join("\n");
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if (typeof value === "string") return /^[^\s"',[\]{}]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}
