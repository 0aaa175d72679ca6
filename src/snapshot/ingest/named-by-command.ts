import { posix } from "node:path";
import { UNKNOWN, wordLists } from "./command-words.js";
import { ENDINGS, PROGRAM_FILES } from "./program-files.js";

const { basename } = posix;

/**
 * What a shell command runs of the folder that it is run in, as far as its words say: a file or folder that is one of them, by its name
 * or a pattern, as a module, or by a program that reads a file of that name. Takes readable paths; case is ignored, as some file systems do.
 */
export function namedBy(command: string): (path: string) => boolean {
  const names = wordLists(folded(command)).flatMap((words) => [
    ...words.flatMap((word, index) => namesOf(word, words[index - 1])),
    ...namesWithoutEnding(words),
  ]);
  const plain = new Set(names);
  const patterns = names.filter((name) => /[*?[]/.test(name)).map(patternOf);
  return (path) => {
    const steps = folded(path).split("/");
    const isNamed = steps.some((_, index) => plain.has(steps.slice(0, index + 1).join("/")));
    return isNamed || patterns.some((pattern) => matches(pattern, steps));
  };
}

const folded = (text: string): string => text.normalize("NFC").toLowerCase();

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

/** Of a set of characters any one will do. */
const patternOf = (name: string): string[] =>
  name
    .replace(/\[(?:\[:\w+:\]|[^[\]])+\]/g, "?")
    .split("/")
    .map((glob) => (glob === "**" ? glob : glob.replace(/\*+/g, "*")));

/** Whether a path, or a folder above it, is what a pattern of the shell finds. */
function matches(pattern: readonly string[], steps: readonly string[]): boolean {
  for (const [index, glob] of pattern.entries()) {
    const step = steps[index];
    if (step === undefined) return false;
    if (glob === "**") return true;
    if (!matchesName(glob, step)) return false;
  }
  return true;
}

/** By `*` and `?`; in steps no more than the product of both lengths, as the sandbox may have written both. */
function matchesName(glob: string, name: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    if (glob[at] === "*") {
      [star, retry] = [at, index];
      at++;
    } else if (glob[at] === "?" || glob[at] === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      [at, index] = [star + 1, ++retry];
    } else return false;
  }
  return at === glob.length || glob.slice(at) === "*";
}
