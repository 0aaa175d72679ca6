import { posix } from "node:path";
import { replaceNested, UNKNOWN, wordLists } from "./command-words.js";
import { NamingBudget } from "./naming-budget.js";
import { PathSet } from "./path-set.js";
import { ENDINGS, PROGRAM_FILES, TAKES_MODULES } from "./program-files.js";
import { folded, matches, patternOf } from "./shell-pattern.js";

const { basename } = posix;

/** What a shell command names of the folder that it is run in. */
export interface NamedByCommand {
  /** Paths and patterns, folded. */
  readonly names: readonly string[];
  /** Whether a readable path is one of them, or lies below one; also where the budget is spent, and nobody knows. */
  isNamed(path: string): boolean;
}

/** What stands for the agent's folder at the beginning of a path: what a shell puts there, and where a sandbox has it. */
const FOLDERS = [`${UNKNOWN}/`, "/app/"];

/** A file of that name in any folder. */
const ANYWHERE = /^\*\*\/(?<name>[^/*?[]+)$/;

/** What a path that is looked up costs, as letters, beyond its own. */
const LOOK = 16;

/** Each of its parts makes names: a sandbox may have written it. */
const LONGEST_MODULE = 255;

/**
 * What a shell command runs of the folder that it is run in, as far as its words say: a file or folder that is one of them, by its name
 * or a pattern, as a module, or by a program that reads a file of that name. Takes readable paths; case is ignored, as some file systems do.
 */
export function namedBy(command: string, budget = new NamingBudget()): NamedByCommand {
  const names = new Set<string>();
  const anywhere = new Set<string | undefined>();
  for (const name of namesIn(command)) {
    budget.keep(name.length);
    if (budget.isSpent) break;
    const file = ANYWHERE.exec(name)?.groups?.["name"];
    if (file === undefined) names.add(name);
    else anywhere.add(file);
  }
  const plain = new PathSet(names);
  const patterns = [...names].filter((name) => /[*?[]/.test(name)).map(patternOf);
  const isNamed = (path: string) => {
    budget.look(LOOK + path.length);
    if (budget.isSpent) return true;
    const sought = folded(path);
    const steps = sought.split("/");
    if (plain.covers(sought) || anywhere.has(steps.at(-1))) return true;
    return patterns.some((pattern) => matches(pattern, steps, budget)) || budget.isSpent;
  };
  return { names: [...names], isNamed };
}

function* namesIn(command: string): Generator<string> {
  for (const words of wordLists(folded(command))) yield* namesOf(words);
}

function* namesOf(words: readonly string[]): Generator<string> {
  const programs = new Set(words.map((word) => basename(word)));
  const takesModules = [...programs].some((program) => TAKES_MODULES.has(program));
  const modules = words.filter(
    (word, index) => takesModules || /^(?:-\w*[ma]|--app)$/.test(words[index - 1] ?? "") || /^[\w.]+:\w+$/.test(word),
  );
  const values = words.map(gluedValue);
  const files = new Set([...words, ...values]);
  for (const file of files) yield* plainPath(file);
  for (const module of new Set([...modules, ...values, ...words.map(gluedModule)])) yield* filesOfModule(module);
  for (const program of programs) yield* PROGRAM_FILES.get(program) ?? PROGRAM_FILES.get(withoutNumber(program)) ?? [];
  yield* filesOfFolder(files, programs);
  yield* namesWithoutEnding(files, programs);
}

/** Of `-Csub`, `-r./x.js`. */
const gluedValue = (word: string): string => (/^-\w./.test(word) ? word.slice(2) : "");

/** Of `-mserve`, `-umserve`. */
const gluedModule = (word: string): string => /^-[^m-]*m([\w.]+)$/.exec(word)?.[1] ?? "";

/** Of `pip3.12`. */
const withoutNumber = (program: string): string => program.replace(/^([^\d.]+)[\d.]+$/, "$1");

/** `python3 .` */
const filesOfFolder = (words: ReadonlySet<string>, programs: ReadonlySet<string>): string[] =>
  words.has(".") && [...programs].some((program) => /^(?:python|pypy)[\d.]*$/.test(program)) ? ["__main__.py"] : [];

/** `node index`, `node .`. */
function* namesWithoutEnding(words: ReadonlySet<string>, programs: ReadonlySet<string>): Generator<string> {
  const endings = new Set([...programs].flatMap((program) => ENDINGS.get(program) ?? []));
  if (endings.size > 0 && words.has(".")) yield "package.json";
  for (const ending of endings)
    for (const word of words) for (const file of plainPath(word)) yield `${file === "." ? "index" : file}${ending}`;
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
function* filesOfModule(word: string): Generator<string> {
  if (word.length > LONGEST_MODULE) return;
  const steps = (word.split(":")[0] ?? "").split(".").filter(Boolean);
  for (const index of steps.keys()) {
    const path = steps.slice(0, index + 1).join("/");
    yield `${path}.py`;
    yield index === steps.length - 1 ? path : `${path}/__init__.py`;
  }
}
