import { type ShownVersion, showVersion } from "../../version/show.js";
import { describeStanding } from "../../version/standing.js";
import { callerOf, tellConfigBroken } from "../caller.js";
import { defineCommand, required } from "../define-command.js";
import { statusMark } from "../describe-standing.js";
import { formatTime } from "../format-time.js";
import type { Output } from "../output.js";

export const showCommand = defineCommand({
  name: "show",
  summary: "Show one version: its record, its signature, what became of it",
  arguments: { version: required("the version, or `current`") },
  async run({ version }, context) {
    context.output.result(await showVersion(callerOf(context, tellConfigBroken), version), describeShown);
  },
});

function describeShown(shown: ShownVersion, output: Output): string {
  const { style } = output;
  const { record, standing } = shown;
  const marks = [shown.current ? style.green("in force") : "", statusMark(shown, output)];
  const lines = [`${style.bold(shown.tag)}  ${[shown.type, ...marks.filter((mark) => mark !== "")].join(", ")}`];
  if (record) {
    const notes = record.notes.split("\n");
    lines.push("", ...notes.map((line) => `    ${line}`), "");
  }
  lines.push(row("commit", shown.commit));
  if (shown.hash !== null) lines.push(row("hash", shown.hash));
  if (standing !== null)
    lines.push(row("standing", `${describeStanding(standing)}, since ${formatTime(standing.since)}`));
  lines.push(row("signature", signatureLine(shown, style)));
  lines.push(...shown.problems.map((problem) => row("", style.red(problem.message))));
  if (record) lines.push(...recordLines(shown, record, style));
  if (shown.operations.length > 0) {
    lines.push("", "What became of it:");
    for (const operation of shown.operations) {
      lines.push(`  ${formatTime(operation.at)}  ${operation.subject}  ${style.dim(operation.id)}`);
    }
  }
  return lines.join("\n");
}

const row = (name: string, text: string): string => `${name.padEnd(12)}${text}`;

function recordLines(
  shown: ShownVersion,
  record: NonNullable<ShownVersion["record"]>,
  style: Output["style"],
): string[] {
  const { createdBy, rollback } = record;
  const by = `${createdBy.name} <${createdBy.email}>`;
  const files = Object.entries(record.components).map(([kind, summary]) => `${summary.files} ${kind}`);
  const target = rollback.target === null ? "" : `, to ${rollback.target}`;
  const lines: [string, string | false][] = [
    ["created", `${formatTime(record.created)} by ${by}`],
    ["parent", record.parent ?? "none: the first version"],
    ["children", shown.children.length > 0 && shown.children.join(", ")],
    ["tags", record.tags.length > 0 && record.tags.join(", ")],
    ["files", files.join(", ")],
    ["state", record.checksums.state !== null && `captured, ${record.checksums.state}`],
    ["not pinned", record.unpinned.length > 0 && `${record.unpinned.join(", ")}: the newest is taken at run time`],
    [
      "LFS",
      record.lfs.length > 0 && `${record.lfs.length} ${record.lfs.length === 1 ? "file" : "files"} by what they name`,
    ],
    ["agents", otherAgents(record)],
    ["backward", record.compatibility.backward.length > 0 && record.compatibility.backward.join(", ")],
    ["rollback", rollback.canRollback ? `possible${target}` : "not possible"],
    ...rollback.risks.map((risk): [string, string] => ["", style.yellow(risk)]),
  ];
  const told = lines.flatMap(([name, text]) => (text === false ? [] : [row(name, text)]));
  if (record.changelog.length > 0) told.push("", "Changes:");
  return [...told, ...record.changelog.map((entry) => changeLine(entry, style))];
}

/** Those that it depends on, each as it was in force when the version was made. */
function otherAgents({ dependencies }: NonNullable<ShownVersion["record"]>): string | false {
  const agents = Object.entries(dependencies?.agents ?? {});
  const shown = agents.map(([id, version]) =>
    version === null ? `${id} (none in its range was here)` : `${id} ${version}`,
  );
  return shown.length > 0 && shown.join(", ");
}

function changeLine(entry: NonNullable<ShownVersion["record"]>["changelog"][number], style: Output["style"]): string {
  const scope = entry.scope === null ? "" : `(${entry.scope})`;
  return `  ${entry.breaking ? style.red("!") : " "} ${entry.type}${scope}: ${entry.description}`;
}

function signatureLine({ signature, ok }: ShownVersion, style: Output["style"]): string {
  const who = signature.signer === null ? "" : `  ${signature.signer}`;
  const key = signature.key === null ? "" : `  ${signature.key}`;
  return `${ok ? style.green(signature.outcome) : style.red(signature.outcome)}${who}${key}${signature.reason === null ? "" : `  (${signature.reason})`}`;
}
