import { posix } from "node:path";
import { UNKNOWN, wordLists } from "./command-words.js";
import { ENDINGS, PROGRAM_FILES } from "./program-files.js";
import { folded, matches, patternOf } from "./shell-pattern.js";

const { basename } = posix;

/** What a shell command names of the folder that it is run in. */
export interface NamedByCommand {
  /** Paths and patterns, folded. */
  readonly names: readonly string[];
  /** Whether a readable path is one of them, or lies below one. */
  isNamed(path: string): boolean;
}

/**
 * What a shell command runs of the folder that it is run in, as far as its words say: a file or folder that is one of them, by its name
 * or a pattern, as a module, or by a program that reads a file of that name. Takes readable paths; case is ignored, as some file systems do.
 */
export function namedBy(command: string): NamedByCommand {
  const names = wordLists(folded(command)).flatMap((words) => [
    ...words.flatMap((word, index) => namesOf(word, words[index - 1])),
    ...namesWithoutEnding(words),
  ]);
  const plain = new Set(names);
  const patterns = names.filter((name) => /[*?[]/.test(name)).map(patternOf);
  const isNamed = (path: string) => {
    const steps = folded(path).split("/");
    const isPlain = steps.some((_, index) => plain.has(steps.slice(0, index + 1).join("/")));
    return isPlain || patterns.some((pattern) => matches(pattern, steps));
  };
  return { names: [...plain], isNamed };
}

function namesOf(word: string, before: string | undefined): string[] {
  const isModule = before === "-m" || /^[\w.]+:\w+$/.test(word);
  return [...plainPath(word), ...(isModule ? filesOfModule(word) : []), ...(PROGRAM_FILES.get(basename(word)) ?? [])];
}

/** `node index`, `node .`. */
function namesWithoutEnding(words: readonly string[]): string[] {
  const endings = words.flatMap((word) => ENDINGS.get(basename(word)) ?? []);
  if (endings.length === 0) return [];
  const files = words.flatMap(plainPath).flatMap((file) => {
    const name = file === "." ? "index" : file;
    return endings.map((ending) => `${name}${ending}`);
  });
  return words.includes(".") ? ["package.json", ...files] : files;
}

/**
 * From the agent's folder on, which an unknown beginning is taken for; any other unknown part, and what a shell would expand in
 * braces, is `*`. Empty where nothing else is known.
 */
function plainPath(word: string): string[] {
  const below = word.startsWith(`${UNKNOWN}/`) ? `.${word.slice(1)}` : word;
  if (below.includes(UNKNOWN) && !/\w/.test(below)) return [];
  const pattern = below.replaceAll(UNKNOWN, "*").replace(/\{[^{}]*\}/g, "*");
  return [posix.normalize(pattern).replace(/\/$/, "")];
}

/** `python3 -m a.b`, `uvicorn a.b:app`: a/b.py, or what lies in a/b. */
function filesOfModule(word: string): string[] {
  const folder = (word.split(":")[0] ?? "").replaceAll(".", "/");
  return [`${folder}.py`, folder, `${folder.split("/")[0]}/__init__.py`];
}
