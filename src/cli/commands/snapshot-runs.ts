import { type ListedRun, listRuns } from "../../snapshot/list-runs.js";
import { callerOf } from "../caller.js";
import { counted } from "../counted.js";
import { defineCommand, flag, optional, parsed, value } from "../define-command.js";
import { outcomeOf, ranOf } from "../describe-run.js";
import { formatDuration, formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { shortId } from "../short-id.js";
import { oneLine } from "../style.js";
import { formatTable } from "../table.js";

export const snapshotRunsCommand = defineCommand({
  name: "snapshot runs",
  summary: "List what was run in sandboxes, newest first",
  description:
    "Every command of `snapshot run`, `exec` and `test`, and a `shell` that asked the network for something, is kept as a commit on refs/kai/runs of this clone. BY says which tester of the policy signed it: what is unproven anybody may have written. `snapshot show RUN` shows one, and with --json all that is known of it; `snapshot logs RUN` what it printed.",
  arguments: { version: optional("only those over the files of this version or commit") },
  options: {
    scenario: value("NAME", "only those of this scenario of kai.yaml"),
    failed: flag("only those that failed"),
    limit: parsed("N", "at most so many", counted),
  },
  examples: [
    { line: "git kai-version snapshot runs 1.2.0 --failed --limit 10", does: "what failed last with that version" },
  ],
  async run(request, context) {
    const runs = await listRuns(callerOf(context), request);
    const { version, scenario, failed } = request;
    const isAny = version === undefined && scenario === undefined && !failed && request.limit !== 0;
    const none = isAny
      ? "Nothing was run yet: `git kai-version snapshot run VERSION -- COMMAND` does."
      : "There is no such run.";
    context.output.result({ total: runs.length, runs }, (list, output) => describeRuns(list, none, output));
  },
});

function describeRuns({ runs }: { runs: readonly ListedRun[] }, none: string, output: Output): string {
  if (runs.length === 0) return output.quiet ? "" : none;
  const { style } = output;
  const rows = runs.map((run) => [
    shortId(run.id, output),
    formatTime(run.at),
    `${cell(run.version)}${run.pristine ? "" : "*"}`,
    resultOf(run, style),
    formatDuration(run.durationMs),
    run.unproven === null ? cell(run.actor?.name ?? "") : style.yellow("unproven"),
    cell(ranOf(run)),
  ]);
  const table = formatTable(
    [
      { title: "RUN" },
      { title: "AT" },
      { title: "VERSION" },
      { title: "RESULT" },
      { title: "TOOK", align: "right" },
      { title: "BY", shrink: "cut" },
      { title: "WHAT", shrink: "cut" },
    ],
    rows,
    output.columns,
  );
  const changed = runs.some((run) => !run.pristine) ? [NOT_PRISTINE] : [];
  return [table, ...changed, ...whyUnproven(runs)].join("\n");
}

const NOT_PRISTINE = "* in a snapshot, or of a save: not known to have begun with the version's files";

/** Characters of a cell: beyond what any terminal shows, and no work where somebody made a text of megabytes up. */
const MOST = 200;

const cell = (text: string): string => oneLine(text.length > MOST ? `${text.slice(0, MOST)}…` : text);

/** The exit status, where it tells more. */
function resultOf(run: ListedRun, style: Output["style"]): string {
  const outcome = outcomeOf(run, style);
  return run.exitCode === 0 || run.timedOut || run.oomKilled ? outcome : `${outcome} (${run.exitCode})`;
}

/** Each reason once. */
function whyUnproven(runs: readonly ListedRun[]): string[] {
  const counts = new Map<string, number>();
  for (const { unproven } of runs) if (unproven !== null) counts.set(unproven, (counts.get(unproven) ?? 0) + 1);
  return [...counts].map(([why, count]) => `${count} unproven: ${why}`);
}
