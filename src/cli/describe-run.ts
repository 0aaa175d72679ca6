import { formatBytes } from "../agent/format-bytes.js";
import type { Execution } from "../snapshot/execution.js";
import type { ListedRun, ShownRun } from "../snapshot/list-runs.js";
import { describeRequests, limitsOf } from "./describe-snapshot.js";
import { formatCommand } from "./format-command.js";
import { formatDuration, formatTime } from "./format-time.js";
import type { Output } from "./output.js";
import { oneLineValue } from "./style.js";

type Style = Output["style"];

/** What ran. */
export const ranOf = ({ scenario, command }: Pick<ListedRun, "scenario" | "command">): string =>
  scenario?.name ?? formatCommand(command);

/** How it ended, in a word or two. */
export function outcomeOf(run: Pick<ListedRun, "passed" | "timedOut" | "oomKilled">, style: Style): string {
  if (run.passed) return style.green("passed");
  if (run.timedOut) return style.red("out of time");
  if (run.oomKilled) return style.red("out of memory");
  return style.red("failed");
}

/** One run, whole. */
export function describeRun(shown: ShownRun, output: Output): string {
  const { style } = output;
  const run = oneLineValue(shown);
  const rows: [string, string | false][] = [
    ["scenario", run.scenario !== null && `${run.scenario.name} (${run.scenario.kind})`],
    ["command", formatCommand(run.command)],
    ["version", `${run.tag}${run.pristine ? "" : ", whose files may have been changed before"}`],
    ["result", `${outcomeOf(run, style)}, exit status ${run.exitCode}`],
    ...told(run.failures).map((failure): [string, string] => ["", style.red(failure)]),
    ["ran", `${formatTime(run.at)}, ${formatDuration(run.durationMs)}`],
    ["took", tookOf(run.resources)],
    ["in", run.snapshot === null ? "a sandbox that is gone" : `the snapshot ${run.snapshot}`],
    ...groundRows(run),
    ["changed", changedOf(run)],
    ...told((run.refused ?? []).map(({ path, reason }) => `${path} refused: ${reason}`)).map(
      (line): [string, string] => ["", line],
    ),
    ["signed by", run.unproven === null ? signerOf(run) : style.yellow(`unproven: ${run.unproven}`)],
    ["record", run.run.slice(0, 10)],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== false);
  const width = known.reduce((most, [name]) => Math.max(most, name.length), 0);
  const requests = describeRequests(run, style).map((line) => `  ${line}`);
  return [
    style.bold(run.id),
    ...known.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`),
    ...requests,
    `\n\`git kai-version snapshot logs ${run.id}\` shows what it printed.`,
  ].join("\n");
}

function tookOf({ peakMemory, cpuMs }: Execution["resources"]): string | false {
  const parts = [
    peakMemory !== undefined && `${formatBytes(peakMemory)} memory at most`,
    cpuMs !== undefined && `${formatDuration(cpuMs)} of a processor`,
  ].filter((part) => part !== false);
  return parts.length > 0 && parts.join(", ");
}

/** How it was confined, and what it stood on. */
function groundRows({ isolation, environment, requests }: ShownRun): [string, string | false][] {
  const { image, imageBase, network, filesystem, process, unenforced } = isolation;
  const asked = requests.length === 0 ? "" : `, ${requests.length} ${requests.length === 1 ? "request" : "requests"}`;
  const { kernel, podman, runtime, timeZone } = environment ?? {};
  const machine = [kernel, podman && `podman ${podman}`, runtime, timeZone].filter((each) => each);
  return [
    ["isolation", `process ${process}, files ${filesystem}, network ${network}${asked}`],
    ["limits", isolation.settings !== undefined && limitsOf(isolation.settings.limits)],
    ["not enforced", unenforced.length > 0 && unenforced.join(", ")],
    [
      "stands on",
      image === "host"
        ? "this machine's own programs"
        : `${image.slice(0, 12)}${imageBase == null ? "" : ` (${imageBase})`}`,
    ],
    ["machine", machine.length > 0 && machine.join(", ")],
    ["program", environment?.program != null && `${environment.program.path}, sha256 ${environment.program.sha256}`],
    ["seed", environment?.seed != null && String(environment.seed)],
  ];
}

const SHOWN = 5;

function changedOf({ artifacts, artifactsDropped }: ShownRun): string | false {
  if (artifacts === null) return false;
  const names = artifacts.slice(0, SHOWN).map(({ path }) => path);
  const count = artifacts.length + artifactsDropped;
  const said = count === 0 ? "nothing" : `${count}: ${names.join(", ")}${count > SHOWN ? ", …" : ""}`;
  const lost = artifacts.filter(({ notKept }) => notKept !== undefined).length;
  return lost === 0 ? said : `${said}; ${lost} not kept in the record`;
}

/** The first of many. */
const told = (texts: readonly string[]): readonly string[] =>
  texts.length <= SHOWN ? texts : [...texts.slice(0, SHOWN), `… and ${texts.length - SHOWN} more`];

const signerOf = ({ actor }: ShownRun): string =>
  actor === null ? "" : `${actor.name} <${actor.email}>  ${actor.key}`;
