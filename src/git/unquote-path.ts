const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** A path as git prints it: in quotes and escaped where it holds quotes, backslashes or control characters (git-config(1), core.quotePath). */
export function unquotePath(printed: string): string {
  if (!printed.startsWith('"')) return printed;
  return printed
    .slice(1, -1)
    .replace(/\\(?:([0-7]{3})|(.))/g, (_all, octal: string | undefined, letter: string) =>
      octal === undefined ? (ESCAPES[letter] ?? letter) : String.fromCharCode(Number.parseInt(octal, 8)),
    );
}
