import { stripVTControlCharacters } from "node:util";

export interface Column {
  title: string;
  align?: "left" | "right";
  /** The column that gives way when the table is wider than the terminal. */
  shrink?: boolean;
}

const SMALLEST_SHRUNK = 12;

/** Columns two spaces apart, no wider than `width` columns where a column may shrink; no trailing blanks. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width?: number): string {
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => textWidth(line[index] ?? ""))));
  const total = widths.reduce((sum, each) => sum + each, 0) + 2 * (columns.length - 1);
  const shrinking = columns.findIndex((column) => column.shrink);
  if (width !== undefined && total > width && shrinking >= 0) {
    widths[shrinking] = Math.max(SMALLEST_SHRUNK, (widths[shrinking] ?? 0) - (total - width));
  }
  return lines
    .map((line) =>
      columns
        .map((column, index) => fitted(line[index] ?? "", widths[index] ?? 0, column.align ?? "left"))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function fitted(text: string, width: number, align: "left" | "right"): string {
  const length = textWidth(text);
  if (length > width) return `${stripVTControlCharacters(text).slice(0, width - 1)}…`;
  const padding = " ".repeat(width - length);
  return align === "left" ? text + padding : padding + text;
}

function textWidth(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return width;
}

/** East Asian wide and fullwidth ranges, and emoji, roughly as Unicode's EastAsianWidth.txt has them. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
