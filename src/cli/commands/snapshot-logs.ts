import { isUtf8 } from "node:buffer";
import { formatBytes } from "../../agent/format-bytes.js";
import { KaiError } from "../../error.js";
import { type ExecutionLogs, type LoggedExecution, openLogs } from "../../snapshot/read-logs.js";
import { LOGGED } from "../../snapshot/sandbox/execution-output.js";
import { callerOf } from "../caller.js";
import { defineCommand, flag, required, value } from "../define-command.js";
import { formatCommand } from "../format-command.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";
import { oneLine } from "../style.js";
import { formatTable } from "../table.js";

export const snapshotLogsCommand = defineCommand({
  name: "snapshot logs",
  summary: "Show what the commands in a snapshot, or a run, printed",
  description:
    "Prints the output of the newest command that ran in the snapshot, or of the one that --execution names: what it wrote to stdout on stdout, to stderr on stderr; 256 MiB of each are kept. The id of a run (`snapshot runs` lists them) gives its output: where that is more than the megabyte of each that its record has, all of it until cleanup_after is over. --list lists them; --json does, too, and with --execution has the output of that one, up to 16 MiB of each. Secrets that were given are masked.",
  arguments: { id: required("the snapshot's id, or a run's, or how it begins or ends") },
  options: {
    execution: value("EXECUTION", "one execution, by its id or how that begins; default: the newest"),
    list: flag("list what was executed"),
  },
  examples: [{ line: "git kai-version snapshot logs 01K", does: "prints the newest output" }],
  async run({ id, execution, list }, context) {
    const logs = await openLogs(callerOf(context), id);
    const { executions, lost, unproven } = logs;
    if (context.output.json && execution !== undefined && !list) {
      const wanted = findExecution(executions, execution);
      const output = await readOutput(logs.read(wanted.id));
      context.output.result({ total: 1, lost, unproven, executions: [{ ...wanted, output }] }, () => "");
      return;
    }
    if (list || context.output.json) {
      context.output.result({ total: executions.length, lost, unproven, executions }, describeLogs);
      return;
    }
    const wanted = findExecution(executions, execution);
    for await (const { stream, chunk } of logs.read(wanted.id)) await context.output.raw(stream, chunk);
    for (const stream of ["stdout", "stderr"] as const) {
      if (wanted[stream] >= LOGGED)
        context.output.warn(`Only the first ${formatBytes(LOGGED)} of its ${stream} are kept.`);
    }
    if (lost > 0) context.output.warn(`${formatBytes(lost)} of it are not kept any more.`);
    if (unproven !== null) context.output.warn(`That it printed this is unproven: ${oneLine(unproven)}.`);
  },
});

/** Bytes of each stream in a document. */
const IN_DOCUMENT = 16 * 1024 * 1024;

async function readOutput(log: ReturnType<ExecutionLogs["read"]>) {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const sizes = { stdout: 0, stderr: 0 };
  for await (const { stream, chunk } of log) {
    const room = Math.max(0, IN_DOCUMENT - sizes[stream]);
    if (room > 0) parts[stream].push(chunk.subarray(0, room));
    sizes[stream] += chunk.length;
  }
  const [stdout, stderr] = [Buffer.concat(parts.stdout), Buffer.concat(parts.stderr)];
  return {
    stdout: stdout.toString(),
    stderr: stderr.toString(),
    // Else what is no UTF-8 is replaced in the text.
    utf8: isUtf8(stdout) && isUtf8(stderr),
    dropped: sizes.stdout + sizes.stderr - stdout.length - stderr.length,
  };
}

function findExecution(executions: readonly LoggedExecution[], asked: string | undefined): LoggedExecution {
  const found = executions.filter((each) => asked === undefined || each.id.startsWith(asked.toUpperCase()));
  const newest = found.at(-1);
  if (newest && (asked === undefined || found.length === 1)) return newest;
  if (found.length > 1)
    throw new KaiError("E122", `${found.length} executions begin with ${asked}.`, { hint: "Give more of the id." });
  throw new KaiError(
    "E101",
    asked === undefined ? "Nothing was executed in it yet." : `There is no execution ${asked}.`,
    {
      hint: "`--list` lists them; `git kai-version snapshot exec ID -- COMMAND` runs one.",
    },
  );
}

function describeLogs({ executions }: { executions: readonly LoggedExecution[] }, { columns }: Output): string {
  if (executions.length === 0) return "Nothing was executed in it yet.";
  const rows = executions.map((each) => [
    each.id,
    formatTime(each.at),
    each.exitCode === null ? each.state : String(each.exitCode),
    formatBytes(each.stdout + each.stderr),
    each.command === null ? "" : oneLine(formatCommand(each.command)),
  ]);
  const titles = [{ title: "EXECUTION" }, { title: "AT" }, { title: "EXIT", align: "right" as const }];
  return formatTable(
    [...titles, { title: "OUTPUT", align: "right" }, { title: "COMMAND", shrink: "cut" }],
    rows,
    columns,
  );
}
