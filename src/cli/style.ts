import { stripVTControlCharacters } from "node:util";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

export function createStyle(color: boolean): Style {
  const paint = (open: number, close: number) => (text: string) =>
    color ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    cyan: paint(36, 39),
  };
}

/** Colours by the field's conventions: NO_COLOR, FORCE_COLOR, TERM=dumb, else only on a terminal. */
export function wantsColor(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if (env["NO_COLOR"]) return false;
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return true;
  return isTerminal && env["TERM"] !== "dumb";
}

/** C0 without tab and line feed, DEL, C1, line separators, and what turns the direction of writing (Unicode's Bidi_Control). */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Text from a repository made safe to print: no escape sequence or control character of it reaches the terminal.
 * Line feeds and tabs stay.
 */
export const printable = (text: string): string =>
  PRINTABLE_ASCII.test(text) ? text : stripVTControlCharacters(text).replace(UNPRINTABLE, escaped);

/** What most texts are made of: told at once. */
const PRINTABLE_ASCII = /^[\t\n -~]*$/;

/** The same with all of it to be seen: control characters are not taken out but written as JSON does. */
export const visible = (text: string): string => text.replace(UNPRINTABLE, escaped);

/** On one line, with all of it to be seen: a path with a line feed must not look like a line of ours, nor one with ESC like another. */
export const oneLine = (text: string): string => visible(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t");

/** JSON that means the same and holds no character that a terminal would act on. */
export const printableJson = (value: unknown): string => JSON.stringify(value, null, 2).replace(UNPRINTABLE, escaped);

/** The same value with every text in it, keys included, made safe to print. */
export const printableValue = <T>(value: T): T => (isPlain(value) ? value : (mapTexts(value, printable) as T));

/** The same with every text in it on one line: for what anybody may have written, and is shown in lines of ours. */
export const oneLineValue = <T>(value: T): T => mapTexts(value, oneLine) as T;

/** Whether all its texts are safe as they are. */
function isPlain(value: unknown): boolean {
  const json = JSON.stringify(value) ?? "";
  return PRINTABLE_ASCII.test(json) && !ESCAPED_CONTROL.test(json);
}

/** What JSON makes of control characters, but for tab and line feed. */
const ESCAPED_CONTROL = /\\[bfru]/;

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [map(key), mapTexts(each, map)]));
}
