import { parseDate } from "../../git/parse-date.js";
import { OPERATION_KINDS } from "../../operation/entry.js";
import { type ListedOperation, listOperations } from "../../version/operations.js";
import { readAgentHistory } from "../../version/reading.js";
import { tellConfigBroken } from "../caller.js";
import { counted } from "../counted.js";
import { choice, defineCommand, parsed, value } from "../define-command.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { shortId } from "../short-id.js";
import { formatTable } from "../table.js";

export const logCommand = defineCommand({
  name: "log",
  summary: "List the operations, newest first",
  description: "The signed log of everything that was done. `git log refs/kai/log` shows the same with stock git.",
  options: {
    at: value("TIME", "what had happened by then: the first line says what was in force"),
    kind: choice(OPERATION_KINDS, "only operations of this kind"),
    limit: parsed("N", "at most so many", counted),
  },
  examples: [{ line: "git kai-version log --at yesterday --limit 1", does: "tells what was in force yesterday" }],
  async run({ at, kind, limit }, context) {
    const { agent, history } = await readAgentHistory(context.cwd, context.env, tellConfigBroken(context));
    const moment = at === undefined ? undefined : await parseDate(agent.repository, at);
    const operations = listOperations(history.log, { at: moment, kind, limit });
    context.output.result({ operations }, describeLog);
  },
});

function describeLog({ operations }: { operations: readonly ListedOperation[] }, output: Output): string {
  if (operations.length === 0) return "No operation.";
  const rows = operations.map((operation) => [
    shortId(operation.id, output),
    formatTime(operation.at),
    operation.subject,
    operation.to ?? "–",
    operation.actor.name,
  ]);
  return formatTable(
    [
      { title: "OPERATION" },
      { title: "WHEN" },
      { title: "WHAT", shrink: "wrap" },
      { title: "IN FORCE" },
      { title: "WHO" },
    ],
    rows,
    output.columns,
  );
}
