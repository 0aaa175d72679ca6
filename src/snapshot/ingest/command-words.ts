/** Stands in a word for what only the shell knows: a variable, the output of a command. */
export const UNKNOWN = "\0";

/** A command within a command within a command. */
const MOST_NESTED = 4;

/**
 * The words of a shell command, each list in the order of the command: as a shell reads it, quoted words whole, also what is a command
 * within one; and cut at every quote and bracket, where that reading goes wrong. What a command writes to is not among them.
 */
export function wordLists(command: string): string[][] {
  const reads = command.replace(/\\\n/g, " ").replace(/\d?>>?\s*(?:"[^"]*"|'[^']*'|[^\s;&|()<>"'])+/g, " ");
  const substituted = reads.replace(/\$\{[^{}]*\}|\$\([^()]*\)|`[^`]*`|\$(?:\w+|[@*#?!$-])/g, UNKNOWN);
  return [shellWords(substituted, 0), reads.split(/[\s;&|()<>"'`=]+/).filter((word) => word !== "")];
}

function shellWords(text: string, depth: number): string[] {
  return cutWords(text)
    .flatMap((word) => (/\s/.test(word) && depth < MOST_NESTED ? [word, ...shellWords(word, depth + 1)] : [word]))
    .flatMap((word) => word.split("="))
    .filter((word) => word !== "");
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
