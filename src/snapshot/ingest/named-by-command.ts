import { posix } from "node:path";
import { replaceNested, UNKNOWN, wordLists } from "./command-words.js";
import { ENDINGS, PROGRAM_FILES, TAKES_MODULES } from "./program-files.js";
import { folded, matches, patternOf } from "./shell-pattern.js";

const { basename } = posix;

/** What a shell command names of the folder that it is run in. */
export interface NamedByCommand {
  /** Paths and patterns, folded. */
  readonly names: readonly string[];
  /** Whether a readable path is one of them, or lies below one. */
  isNamed(path: string): boolean;
}

/** What stands for the agent's folder at the beginning of a path: what a shell puts there, and where a sandbox has it. */
const FOLDERS = [`${UNKNOWN}/`, "/app/"];

/** A file of that name in any folder. */
const ANYWHERE = /^\*\*\/(?<name>[^/*?[]+)$/;

/** Each of its parts makes names: a sandbox may have written it. */
const LONGEST_MODULE = 255;

/**
 * What a shell command runs of the folder that it is run in, as far as its words say: a file or folder that is one of them, by its name
 * or a pattern, as a module, or by a program that reads a file of that name. Takes readable paths; case is ignored, as some file systems do.
 */
export function namedBy(command: string): NamedByCommand {
  const all = wordLists(folded(command)).flatMap(namesOf);
  const names = new Set(all.filter((name) => !ANYWHERE.test(name)));
  const anywhere = new Set(all.map((name) => ANYWHERE.exec(name)?.groups?.["name"]));
  const patterns = [...names].filter((name) => /[*?[]/.test(name)).map(patternOf);
  const isNamed = (path: string) => {
    const steps = folded(path).split("/");
    const isPlain = steps.some((_, index) => names.has(steps.slice(0, index + 1).join("/")));
    return isPlain || anywhere.has(steps.at(-1)) || patterns.some((pattern) => matches(pattern, steps));
  };
  return { names: [...names], isNamed };
}

function namesOf(words: readonly string[]): string[] {
  const programs = words.map((word) => basename(word));
  const takesModules = programs.some((program) => TAKES_MODULES.has(program));
  const modules = words.filter(
    (word, index) => takesModules || /^(?:-\w*[ma]|--app)$/.test(words[index - 1] ?? "") || /^[\w.]+:\w+$/.test(word),
  );
  const values = words.map(gluedValue);
  return [
    ...[...words, ...values].flatMap(plainPath),
    ...[...modules, ...values, ...words.map(gluedModule)].flatMap(filesOfModule),
    ...programs.flatMap((program) => PROGRAM_FILES.get(program) ?? PROGRAM_FILES.get(withoutNumber(program)) ?? []),
    ...filesOfFolder(words, programs),
    ...namesWithoutEnding([...words, ...values], programs),
  ];
}

/** Of `-Csub`, `-r./x.js`. */
const gluedValue = (word: string): string => (/^-\w./.test(word) ? word.slice(2) : "");

/** Of `-mserve`, `-umserve`. */
const gluedModule = (word: string): string => /^-[^m-]*m([\w.]+)$/.exec(word)?.[1] ?? "";

/** Of `pip3.12`. */
const withoutNumber = (program: string): string => program.replace(/[\d.]+$/, "");

/** `python3 .` */
const filesOfFolder = (words: readonly string[], programs: readonly string[]): string[] =>
  words.includes(".") && programs.some((program) => /^(?:python|pypy)[\d.]*$/.test(program)) ? ["__main__.py"] : [];

/** `node index`, `node .`. */
function namesWithoutEnding(words: readonly string[], programs: readonly string[]): string[] {
  const endings = programs.flatMap((program) => ENDINGS.get(program) ?? []);
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
  const folder = FOLDERS.find((each) => word.startsWith(each));
  const below = folder === undefined ? word : `./${word.slice(folder.length)}`;
  if (below === "" || (below.includes(UNKNOWN) && !/\w/.test(below))) return [];
  const pattern = replaceNested(below.replaceAll(UNKNOWN, "*"), /\{[^{}]*\}/g, "*");
  const path = posix.normalize(pattern).replace(/\/$/, "");
  // Most shells take `**` for `*`; what is above a link is above what it leads to.
  return [path, path.replace(/\*+/g, "*"), ...(pattern.includes("/../") ? [pattern] : [])];
}

/** `python3 -m a.b`, `uvicorn a.b:app`, `arq a.b.Settings`: a/b.py, or what lies in a/b. */
function filesOfModule(word: string): string[] {
  if (word.length > LONGEST_MODULE) return [];
  const steps = (word.split(":")[0] ?? "").split(".").filter(Boolean);
  return steps.flatMap((_, index) => {
    const path = steps.slice(0, index + 1).join("/");
    return [`${path}.py`, index === steps.length - 1 ? path : `${path}/__init__.py`];
  });
}
