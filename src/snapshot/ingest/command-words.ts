/** Stands in a word for what only the shell knows: a variable, the output of a command. */
export const UNKNOWN = "\0";

/** A command within a command within a command. */
const MOST_NESTED = 4;

const MOST_DEEP = 16;

/** What a shell puts another text in the place of, where nothing of the kind is within. */
const SUBSTITUTION = /\$\{[^{}]*\}|\$\(\([^()]*\)\)|\$\([^()]*\)|`[^`]*`|\$(?:\w+|[@*#?!$-])/g;

/**
 * The words of a shell command, each list in the order of the command: as a shell reads it, quoted words whole, also what is a command
 * within one; and cut at every quote and bracket, where that reading goes wrong. What a command writes to is not among them.
 */
export function wordLists(command: string): string[][] {
  const reads = command.replace(/\\\n/g, " ").replace(/\d?>>?\s*(?:"[^"]*"|'[^']*'|[^\s;&|()<>"'])+/g, " ");
  const substituted = replaceNested(reads, SUBSTITUTION, UNKNOWN);
  const byDefault = replaceNested(reads, DEFAULT, "$1");
  return [shellWords(substituted, 0), byDefault.split(/[\s;&|()<>"'`=]+/).filter((word) => word !== "")];
}

/** A variable with what stands for it where it has no value. */
const DEFAULT = /\$\{\w+:?[-+=]([^{}]*)\}/g;

/** From within outwards, as deep as somebody may have written it in earnest. */
export function replaceNested(text: string, pattern: RegExp, by: string): string {
  let replaced = text;
  for (let depth = 0; depth < MOST_DEEP; depth++) {
    const next = replaced.replace(pattern, by);
    if (next === replaced) break;
    replaced = next;
  }
  return replaced;
}

function shellWords(text: string, depth: number): string[] {
  return cutWords(text)
    .flatMap((word) => (/\s/.test(word) && depth < MOST_NESTED ? [word, ...shellWords(word, depth + 1)] : [word]))
    .flatMap(partsOf)
    .filter((word) => word !== "");
}

/** Of `NAME=VALUE`, and of a list of folders as `PATH` is one. */
function partsOf(word: string): string[] {
  const parts = word.split("=");
  const isList = parts.length > 1 || word.includes("/") || word.includes(UNKNOWN);
  return parts.flatMap((part) => (isList && part.includes(":") ? [part, ...part.split(":")] : [part]));
}

/** Quotes and backslashes are taken away; one that nothing ends goes to the end. */
function cutWords(text: string): string[] {
  const words: string[] = [];
  const parts = text.matchAll(
    /'(?<single>[^']*)'?|"(?<double>(?:[^"\\]+|\\.)*)"?|\\(?<escaped>.)|(?<plain>[^\s;&|()<>'"\\]+)|./gs,
  );
  let word = "";
  for (const { groups } of parts) {
    const { single, double, escaped, plain } = groups ?? {};
    const part = single ?? double?.replace(/\\([$`"\\])/g, "$1") ?? escaped ?? plain;
    if (part !== undefined) word += part;
    else if (word !== "") {
      words.push(word);
      word = "";
    }
  }
  return word === "" ? words : [...words, word];
}
