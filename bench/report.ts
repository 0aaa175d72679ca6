import type { Figure, Measured } from "./figure.js";

export interface Result {
  readonly figure: Figure;
  readonly measured: Measured;
}

/** The results as a Markdown table, or as one JSON document. */
export function formatReport(results: readonly Result[], json: boolean): string {
  if (json) {
    const figures = results.map(({ figure: { name, title, goal, unit }, measured }) => ({
      name,
      title,
      unit,
      ...measured,
      goal,
      met: isMet(goal, measured),
    }));
    return `${JSON.stringify({ schemaVersion: 1, figures }, null, 2)}\n`;
  }
  const rows = results.map(({ figure: { name, title, goal, unit }, measured }) => [
    name,
    amount(measured.ours, unit),
    amount(measured.floor, unit),
    measured.ratio.toFixed(2),
    measured.best.toFixed(2),
    "most" in goal ? `<= ${goal.most}` : `>= ${goal.least}`,
    isMet(goal, measured) ? "yes" : "no",
    title,
  ]);
  const table = [["figure", "ours", "floor", "ratio", "best", "goal", "met", "what"], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const lines = table.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`);
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return `${[lines[0], rule, ...lines.slice(1)].join("\n")}\n`;
}

/** To the two digits that are shown, so that a figure on the line is not called missed. */
const isMet = (goal: Figure["goal"], { ratio }: Measured): boolean =>
  "most" in goal ? Math.round(ratio * 100) <= goal.most * 100 : Math.round(ratio * 100) >= goal.least * 100;

const amount = (value: number, unit: string): string =>
  unit === "ms" || unit === "MB" ? `${Math.round(value)} ${unit}` : String(value);
