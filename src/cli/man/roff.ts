/** Text made safe for roff: backslashes, dashes that are typed, and lines that would be requests. */
export function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replace(/^\./gm, "\\&.");
}

/** The same, with what stands between backquotes in bold, as Markdown has it for code. */
export const proseRoff = (text: string): string =>
  text
    .split(/`([^`]*)`/)
    .map((part, index) => (index % 2 === 0 ? escapeRoff(part) : bold(part)))
    .join("");

export const bold = (text: string): string => `\\fB${escapeRoff(text)}\\fR`;
export const italic = (text: string): string => `\\fI${escapeRoff(text)}\\fR`;

export const heading = (title: string): string => `.SH ${escapeRoff(title).toUpperCase()}`;

/** A quoted argument, because the title has blanks. */
export const subheading = (title: string): string => `.SS "${escapeRoff(title)}"`;

/** A term, and what it means indented below it. */
export const item = (term: string, text: string): string => `.TP\n${term}\n${text}`;

export const paragraph = (text: string): string => `.PP\n${text}`;

/** Lines to be shown as they are. */
export const verbatim = (lines: readonly string[]): string =>
  [".PP", ".RS 4", ".nf", ...lines.map(escapeRoff), ".fi", ".RE"].join("\n");
