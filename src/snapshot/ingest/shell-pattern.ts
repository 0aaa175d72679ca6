import type { NamingBudget } from "./naming-budget.js";

/** As file systems that ignore case compare names. */
export const folded = (text: string): string => text.normalize("NFC").toLowerCase();

/** Steps of a path, in which of a set of characters any one will do. */
export const patternOf = (name: string): string[] =>
  name
    .replace(/\[(?:\[:\w+:\]|[^[\]])+\]/g, "?")
    .split("/")
    .map((glob) => (glob === "**" ? glob : glob.replace(/\*+/g, "*")));

/** Whether a path, or a folder above it, is what a pattern of the shell finds; not to be relied on where the budget is spent by then. */
export function matches(pattern: readonly string[], steps: readonly string[], budget: NamingBudget): boolean {
  for (const [index, glob] of pattern.entries()) {
    const step = steps[index];
    if (step === undefined) return false;
    if (glob === "**") return true;
    if (budget.isSpent || isTooLong(glob, step)) return false;
    budget.look(glob.length * (glob.includes("*") ? step.length : 1));
    if (!matchesName(glob, step)) return false;
  }
  return true;
}

const isTooLong = (glob: string, name: string): boolean => glob.length > 2 * name.length + 1;

/** By `*` and `?`; in steps no more than the product of both lengths, as the sandbox may have written both. */
export function matchesName(glob: string, name: string): boolean {
  if (isTooLong(glob, name)) return false;
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
