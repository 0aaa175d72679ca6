import type { ConfigChange } from "../change/structural-diff.js";
import type { Comparison } from "../version/compare.js";
import type { Output } from "./output.js";
import { oneLine, printable, type Style } from "./style.js";

const LONGEST_VALUE = 60;

/** A comparison for people: sections with counts, `+ - ~ >` marks, places as `path:line`. */
export function describeComparison(comparison: Comparison, { style }: Output): string {
  const sections = [
    heading(comparison, style),
    artifacts(comparison, style),
    configuration(comparison, style),
    dependencies(comparison, style),
    state(comparison, style),
    compatibility(comparison, style),
    ...(comparison.patch === undefined ? [] : [patch(comparison.patch, style)]),
  ];
  return sections.map((lines) => lines.join("\n")).join("\n\n");
}

function heading(
  { agent, from, to, compatibility: { relation, commits, undone } }: Comparison,
  style: Style,
): string[] {
  const way = {
    same: "the same commit",
    ahead: `${counted(commits, "commit")} later`,
    behind: `${counted(undone, "commit")} earlier`,
    diverged: `another line: ${counted(commits, "commit")} of its own, ${undone} missing`,
    unknown: "the history is shallow: how far apart they are is not known",
  }[relation];
  return [`${oneLine(agent)}  ${style.bold(`${oneLine(from)} -> ${oneLine(to)}`)}  ${style.dim(way)}`];
}

function artifacts({ artifacts: { added, removed, modified } }: Comparison, style: Style): string[] {
  const moved = new Set(added.flatMap(({ renamedFrom }) => renamedFrom ?? []));
  const tally = counts(added.length - moved.size, removed.length - moved.size, modified.length, moved.size);
  const files = [
    ...added.map((file) => ({
      ...file,
      mark: file.renamedFrom === undefined ? style.green("+") : style.cyan(">"),
      note: file.renamedFrom === undefined ? "" : ` (was ${oneLine(file.renamedFrom)})`,
    })),
    ...removed.filter(({ path }) => !moved.has(path)).map((file) => ({ ...file, mark: style.red("-"), note: "" })),
    ...modified.map((file) => ({ ...file, mark: style.yellow("~"), note: modeNote(file.from?.mode, file.to?.mode) })),
  ].sort((a, b) => compare(a.component, b.component) || compare(a.path, b.path));
  const width = files.reduce((most, { component }) => Math.max(most, component.length), 0);
  return [
    section("Artifacts", tally, style),
    ...files.map(
      ({ component, path, mark, note }) =>
        `  ${mark} ${style.dim(component.padEnd(width))}  ${oneLine(path)}${style.dim(note)}`,
    ),
  ];
}

const modeNote = (from = "", to = ""): string => (from === to ? "" : ` (mode ${from} -> ${to})`);

function configuration({ configuration: files }: Comparison, style: Style): string[] {
  const total = files.reduce((sum, { changes }) => sum + changes.length, 0);
  const lines = files.flatMap(({ path, change, changes, problem, skipped }) => {
    const name = oneLine(path);
    const why = skipped ?? problem;
    const remark = why === undefined ? [] : [`  ${style.yellow("!")} ${name}  ${style.dim(oneLine(why))}`];
    if (change !== "modified") {
      const mark = change === "added" ? style.green("+") : style.red("-");
      return [...remark, `  ${mark} ${name}  ${style.dim(`the whole file${keysOf(changes[0])}`)}`];
    }
    return [...remark, ...changes.map((each) => configChange(name, each, style))];
  });
  const title = total === 0 ? "the same" : `${counted(total, "change")} in ${counted(files.length, "file")}`;
  return [section("Configuration", title, style), ...lines];
}

function keysOf(change: ConfigChange | undefined): string {
  const value = change?.after ?? change?.before;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "";
  return `: ${oneLine(shorten(Object.keys(value).join(", ")))}`;
}

function configChange(path: string, change: ConfigChange, style: Style): string {
  const { kind, line, before, after, type } = change;
  const place = style.dim(`${path}:${line.after ?? line.before ?? 1}`);
  const key = change.key === "" ? "" : `${oneLine(change.key)}: `;
  if (kind === "added") return `  ${style.green("+")} ${place}  ${key}${style.green(shown(after))}`;
  if (kind === "removed") return `  ${style.red("-")} ${place}  ${key}${style.red(shown(before))}`;
  const remark = change.reordered ? "  (another order)" : type ? `  (${type.before} -> ${type.after})` : "";
  return `  ${style.yellow("~")} ${place}  ${key}${style.red(shown(before))} -> ${style.green(shown(after))}${style.dim(remark)}`;
}

/** A value on one line, cut where it is long. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const plain = typeof value === "string" && /^[^\s"'\\]+(?: [^\s"'\\]+)*$/.test(value);
  return oneLine(shorten(plain || typeof value !== "string" ? text : JSON.stringify(text)));
}

const shorten = (text: string): string =>
  [...text].length <= LONGEST_VALUE ? text : `${[...text].slice(0, LONGEST_VALUE - 1).join("")}…`;

function dependencies({ dependencies: diff }: Comparison, style: Style): string[] {
  const { added, removed, changed, problems } = diff;
  const asked = (direct: boolean) => (direct ? "direct" : "indirect");
  return [
    section("Dependencies", counts(added.length, removed.length, changed.length), style),
    ...added.map((each) => `  ${style.green("+")} ${pkg(each)} ${style.dim(`(${asked(each.direct)})`)}`),
    ...removed.map((each) => `  ${style.red("-")} ${pkg(each)} ${style.dim(`(${asked(each.direct)})`)}`),
    ...changed.map(({ name, from, to, level, direct }) => {
      const step = from === to ? "other content, by its hash" : level === "other" ? "not comparable" : level;
      const paint = level === "major" ? style.red : style.dim;
      return `  ${style.yellow("~")} ${oneLine(name)} ${oneLine(from)} -> ${oneLine(to)} ${paint(`(${step}, ${asked(direct)})`)}`;
    }),
    ...problems.map(({ side, path, line, message }) => {
      const place = `${oneLine(path)}${line === null ? "" : `:${line}`}`;
      return `  ${style.yellow("!")} ${style.dim(`${place} (${side})  ${oneLine(message)}`)}`;
    }),
  ];
}

const pkg = ({ name, version }: { name: string; version: string }): string => `${oneLine(name)} ${oneLine(version)}`;

function state(
  { state: { from, to, changed, added, removed, modified, problems } }: Comparison,
  style: Style,
): string[] {
  const title = () => {
    if (changed === null) return "not compared";
    if (from === null && to === null) return "none captured";
    if (!changed) return "the same";
    return problems.length > 0 ? "changed" : counts(added.length, removed.length, modified.length);
  };
  return [
    section("State", title(), style),
    ...added.map((path) => `  ${style.green("+")} ${oneLine(path)}`),
    ...removed.map((path) => `  ${style.red("-")} ${oneLine(path)}`),
    ...modified.map(
      ({ path, size }) => `  ${style.yellow("~")} ${oneLine(path)}  ${style.dim(`${size.from} -> ${size.to} bytes`)}`,
    ),
    ...problems.map((problem) => `  ${style.yellow("!")} ${style.dim(oneLine(problem))}`),
  ];
}

function compatibility(comparison: Comparison, style: Style): string[] {
  const { compatibility: judged, from, to, migrationRequired, rollbackPossible, reasons } = comparison;
  const row = (name: string, text: string) => `  ${name.padEnd(10)}${text}`;
  const yesNo = (value: boolean | null, yes: string, no: string) =>
    value === null ? style.dim("not known") : value ? style.green(yes) : style.red(no);
  const told = judged.findings.filter(({ level }) => level !== "none");
  return [
    style.bold("Compatibility"),
    row("bump", bump(comparison, style)),
    ...told.map(({ level, message }) => row("", `${level.padEnd(6)} ${oneLine(message)}`)),
    row("upgrade", yesNo(judged.backward, `${to} can stand in for ${from}`, `${to} cannot stand in for ${from}`)),
    row("downgrade", yesNo(judged.forward, `${from} can stand in for ${to}`, `${from} cannot stand in for ${to}`)),
    row("migration", migrationRequired ? style.red("required") : style.green("not required")),
    ...reasons.migration.map((reason) => row("", oneLine(reason))),
    row("rollback", yesNo(rollbackPossible, `${to} -> ${from} is possible`, `${to} -> ${from} is not possible`)),
    ...reasons.rollback.map((reason) => row("", oneLine(reason))),
  ];
}

const BUMPS = ["none", "patch", "minor", "major"];

function bump({ compatibility: { relation, required, declared }, from, to }: Comparison, style: Style): string {
  if (relation === "unknown") return style.dim("not known: the history is shallow");
  if (required === null) return style.dim(`${to} does not descend from ${from}: its commits tell no bump`);
  if (required === "none" && (declared === null || declared === "none")) return "none is needed";
  if (declared === null) return `${required} is needed`;
  const enough = BUMPS.indexOf(declared) >= BUMPS.indexOf(required);
  return `${required} is needed, ${enough ? style.green(`${declared} was made`) : style.red(`only ${declared} was made`)}`;
}

function patch(text: string, style: Style): string[] {
  const paint = (line: string) => {
    if (/^(?:diff|index|---|\+\+\+|new|deleted|old|similarity|rename) /.test(line)) return style.bold(line);
    if (line.startsWith("@@")) return style.cyan(line);
    if (line.startsWith("+")) return style.green(line);
    return line.startsWith("-") ? style.red(line) : line;
  };
  return [
    style.bold("Patch"),
    ...text
      .trimEnd()
      .split("\n")
      .map((line) => paint(printable(line))),
  ];
}

const section = (name: string, detail: string, style: Style): string => `${style.bold(name)}  ${style.dim(detail)}`;

function counts(added: number, removed: number, changed: number, renamed = 0): string {
  const parts = [
    [added, "added"],
    [removed, "removed"],
    [changed, "changed"],
    [renamed, "renamed"],
  ] as const;
  const told = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return told.length === 0 ? "the same" : told.join(", ");
}

const counted = (count: number | null, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
