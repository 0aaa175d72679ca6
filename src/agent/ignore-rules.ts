import ignore from "ignore";

/** What the rules say of a path: of the last that matches it, or of the first folder above it that they ignore. */
export type Verdict = "ignored" | "unignored" | undefined;

interface Rule {
  readonly verdict: Verdict;
  readonly onlyFolders: boolean;
  readonly steps: readonly Step[];
}

/** Any number of folders, or what one name must be. */
type Step = "**" | ((name: string) => boolean);

/**
 * Rules of gitignore(5), the lines of a file. Each is gone through step by step beside a path, so that the work is no more than the product of
 * both: as one expression, `**` again and again would take for ever, and paths as well as rules may be of somebody who wants that. A
 * path of a folder ends with `/`. Case-sensitive.
 */
export function ignoreRules(lines: readonly string[]): (path: string) => Verdict {
  const rules = lines.flatMap(ruleOf);
  const begun = rules.map(({ steps }) => opened(steps, [0]));
  // Of the folders on the way to the path before, most of which lead to the next one, too.
  const kept: { readonly name: string; readonly states: States }[] = [];
  return (path) => {
    const names = path.split("/").filter((name) => name !== "");
    const folders = path.endsWith("/") ? names.length : names.length - 1;
    const same = names.findIndex((name, depth) => depth >= names.length - 1 || kept[depth]?.name !== name);
    kept.length = Math.max(same, 0);
    let verdict: Verdict;
    for (const name of names.slice(kept.length)) {
      const isFolder = kept.length < folders;
      const before = kept.at(-1)?.states ?? begun;
      const states = rules.map(({ steps }, index) => stepped(steps, before[index] ?? [], name));
      verdict = rules.findLast((rule, index) => isMatch(rule, states[index], isFolder))?.verdict;
      if (verdict === "ignored") return verdict;
      if (isFolder) kept.push({ name, states });
    }
    return verdict;
  };
}

/** For each rule what may come next: places in its steps, sorted; the one behind all of them where it matches. */
type States = readonly (readonly number[])[];

const isMatch = ({ steps, onlyFolders }: Rule, at: readonly number[] | undefined, isFolder: boolean): boolean =>
  at?.at(-1) === steps.length && (isFolder || !onlyFolders);

const SOUGHT: readonly number[] = [0, 1];
const FOUND: readonly number[] = [0, 1, 2];

/** Where a rule is behind one more name. */
function stepped(steps: readonly Step[], at: readonly number[], name: string): readonly number[] {
  if (at.length === 0) return at;
  const [first, second] = steps;
  // Most rules name something in any folder.
  if (steps.length === 2 && first === "**" && typeof second === "function") return second(name) ? FOUND : SOUGHT;
  const next: number[] = [];
  for (const index of at) {
    const step = steps[index];
    if (step === "**") {
      next.push(index);
      // At the end it takes at least one name.
      if (index === steps.length - 1) next.push(steps.length);
    } else if (step?.(name)) next.push(index + 1);
  }
  return opened(steps, next);
}

/** Also behind each `**`, which may stand for no folder at all. */
function opened(steps: readonly Step[], at: readonly number[]): readonly number[] {
  const open: number[] = [];
  for (const index of at) {
    if (index > (open.at(-1) ?? -1)) open.push(index);
    if (steps[index] === "**" && index < steps.length - 1) open.push(index + 1);
  }
  return open;
}

function ruleOf(line: string): Rule[] {
  if (line.startsWith("#")) return [];
  const isNegative = line.startsWith("!");
  const text = withoutBlanks(isNegative ? line.slice(1) : line);
  const onlyFolders = text.endsWith("/");
  const glob = onlyFolders ? text.slice(0, -1) : text;
  const globs = glob === "" || isOpen(glob) ? undefined : cut(glob.replace(/^\//, ""));
  if (globs === undefined) return [];
  const isAnywhere = globs.length === 1 && !glob.startsWith("/");
  const all = globs.map(stepOf);
  const steps = all.filter((step, index) => step !== "**" || all[index - 1] !== "**");
  const verdict = isNegative ? "unignored" : "ignored";
  return [{ verdict, onlyFolders, steps: isAnywhere && steps[0] !== "**" ? ["**", ...steps] : steps }];
}

/** Whether its last character is a backslash that is to be followed by another one. */
function isOpen(text: string): boolean {
  let end = text.length;
  while (text[end - 1] === "\\") end--;
  return (text.length - end) % 2 === 1;
}

/** Blanks at the end, but for one behind a backslash. */
function withoutBlanks(line: string): string {
  let end = line.length;
  while (line[end - 1] === " ") end--;
  return line.slice(0, isOpen(line.slice(0, end)) ? end + 1 : end);
}

/** At its slashes, of which one in brackets is none; undefined where brackets have no end, and nothing matches. */
function cut(glob: string): string[] | undefined {
  const globs: string[] = [];
  let text = "";
  for (let index = 0; index < glob.length; index++) {
    const [begin, letter] = [index, glob[index]];
    if (letter === "\\" && glob[index + 1] !== "/") index++;
    else if (letter === "[") index = bracketEnd(glob, index);
    if (index < 0) return undefined;
    if (letter === "/") {
      globs.push(text);
      text = "";
    } else if (letter !== "\\" || index > begin) text += glob.slice(begin, index + 1);
  }
  return [...globs, text];
}

/** Where a set of characters ends; -1 where it does not. */
function bracketEnd(glob: string, begin: number): number {
  const set = /\[[!^]?(?:\[:\w*:\]|\\.|[^\\])(?:\[:\w*:\]|\\.|[^\]\\])*\]/sy;
  set.lastIndex = begin;
  return set.test(glob) ? set.lastIndex - 1 : -1;
}

function stepOf(glob: string): Step {
  if (/^\*{2,}$/.test(glob)) return "**";
  if (/[[\\?]/.test(glob)) {
    const escaped = glob.replace(/(?<!\\) $/, "\\ ");
    const rule = ignore({ ignorecase: false, allowRelativePaths: true }).add([`/${escaped}`]);
    return (name) => rule.ignores(name);
  }
  const parts = glob.split(/\*+/);
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return (name) => name === glob;
  return (name) => isMadeOf(name, first, others, last);
}

/** Whether a name begins and ends with these, and has the others in between, in their order. */
function isMadeOf(name: string, first: string, others: readonly string[], last: string): boolean {
  const end = name.length - last.length;
  if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const other of others) {
    const found = name.indexOf(other, at);
    if (found < 0 || found + other.length > end) return false;
    at = found + other.length;
  }
  return true;
}
