import { stripVTControlCharacters } from "node:util";

export interface Column {
  title: string;
  align?: "left" | "right";
  /** A column that gives way when the table is wider than the terminal, the last first: its cells are cut off, or go on in lines below. */
  shrink?: "cut" | "wrap";
}

const SMALLEST_SHRUNK = 12;

/** Columns two spaces apart, no wider than `width` columns where a column may shrink; no trailing blanks. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[], width?: number): string {
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) =>
    lines.reduce((most, line) => Math.max(most, textWidth(line[index] ?? "")), 0),
  );
  let over =
    widths.reduce((sum, each) => sum + each, 0) + 2 * (columns.length - 1) - (width ?? Number.POSITIVE_INFINITY);
  for (const [index, { shrink }] of [...columns.entries()].reverse()) {
    const gained = Math.min(over, (widths[index] ?? 0) - SMALLEST_SHRUNK);
    if (shrink === undefined || gained <= 0) continue;
    widths[index] = (widths[index] ?? 0) - gained;
    over -= gained;
  }
  return lines.flatMap((line) => formatRow(columns, widths, line)).join("\n");
}

function formatRow(columns: readonly Column[], widths: readonly number[], row: readonly string[]): string[] {
  const cells = columns.map(({ shrink }, index) => {
    const [text, width] = [row[index] ?? "", widths[index] ?? 0];
    return shrink === "wrap" ? wrapped(text, width) : [text];
  });
  const height = Math.max(...cells.map((cell) => cell.length));
  return Array.from({ length: height }, (_, at) =>
    columns
      .map(({ align = "left" }, index) => fitted(cells[index]?.[at] ?? "", widths[index] ?? 0, align))
      .join("  ")
      .trimEnd(),
  );
}

function fitted(text: string, width: number, align: "left" | "right"): string {
  const length = textWidth(text);
  if (length > width) return `${stripVTControlCharacters(text).slice(0, width - 1)}…`;
  const padding = " ".repeat(width - length);
  return align === "left" ? text + padding : padding + text;
}

/** Text behind a label, its further lines below its first; not broken where `width` is undefined. */
export function formatLabelled(label: string, text: string, width?: number): string {
  const indent = label === "" ? 0 : textWidth(stripVTControlCharacters(label)) + 2;
  const lines = width === undefined ? [text] : wrapped(text, Math.max(SMALLEST_SHRUNK, width - indent));
  const [first = "", ...others] = lines;
  return [`${label}${label === "" ? "" : "  "}${first}`, ...others.map((line) => `${" ".repeat(indent)}${line}`)].join(
    "\n",
  );
}

/** Broken between words, each line in the colours that the whole text is in. */
function wrapped(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const [, before = "", after = ""] = COLOURED.exec(text) ?? [];
  const lines: string[] = [];
  let line = "";
  for (const word of stripVTControlCharacters(text)
    .split(" ")
    .flatMap((each) => pieces(each, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && textWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => `${before}${each}${after}`);
}

/** A word that is too long for a line, in as many as it takes. */
function pieces(word: string, width: number): string[] {
  const made: string[] = [];
  let piece = "";
  for (const character of word) {
    if (textWidth(piece + character) > width) {
      made.push(piece);
      piece = "";
    }
    piece += character;
  }
  return [...made, piece];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
const COLOURED = /^((?:\u001b\[[\d;]*m)+)[\s\S]*?((?:\u001b\[[\d;]*m)+)$/;

/** What most cells are made of: each character a column wide. */
const PRINTABLE_ASCII = /^[ -~]*$/;

function textWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
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
