import { formatBytes } from "../../agent/format-bytes.js";
import { type ListedState, listStates } from "../../version/captured-states.js";
import { readAgentHistory } from "../../version/reading.js";
import { tellConfigBroken } from "../caller.js";
import { defineCommand } from "../define-command.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { formatTable } from "../table.js";

export const stateListCommand = defineCommand({
  name: "state list",
  summary: "List the runtime state that was captured with versions",
  description:
    "Reads captures and log, verifies no content (`verify --deep` does) and touches no live state. `kept` are those that `artifacts.state.keep` never gives up. Large files lie in `.git/kai/state`, which no clone brings.",
  examples: [{ line: "git kai-version state list", does: "shows what a rollback could bring back" }],
  async run(_input, context) {
    const { agent, history } = await readAgentHistory(context.cwd, context.env, tellConfigBroken(context));
    const states = await listStates(agent.repository, history);
    const bytes = states.reduce((sum, state) => sum + (state.bytes ?? 0), 0);
    context.output.result({ total: states.length, bytes, states }, describeStates);
  },
});

function describeStates({ states }: { states: readonly ListedState[] }, { style, columns }: Output): string {
  if (states.length === 0) return "No state was captured yet: kai.yaml names it under `artifacts.state`.";
  const rows = states.map((state) => [
    style.bold(state.version),
    formatTime(state.createdAt),
    state.files === null ? "" : String(state.files),
    state.bytes === null ? "" : formatBytes(state.bytes),
    state.where.join(", "),
    state.status === "here" ? "" : state.status === "forgotten" ? style.dim("forgotten") : style.red(state.status),
    marksOf(state).join(", "),
  ]);
  const titles = [{ title: "VERSION" }, { title: "CREATED" }, { title: "FILES", align: "right" as const }];
  const more = [
    { title: "SIZE", align: "right" as const },
    { title: "WHERE" },
    { title: "STATUS" },
    { title: "MARKS" },
  ];
  return formatTable([...titles, ...more], rows, columns);
}

function marksOf({ kept, encrypted, consistent }: ListedState): string[] {
  return [
    ...(kept ? ["kept"] : []),
    ...(encrypted ? ["encrypted"] : []),
    ...(consistent === false ? ["of several moments"] : []),
  ];
}
