import { KaiError } from "../error.js";
import type { Position } from "./given.js";

/** Something wrong in kai.yaml. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The key, as it stands in the file: `snapshot_isolation.tests[0].run`. */
  readonly path: string;
  readonly message: string;
  /** The values or keys that are allowed there, where they can be listed. */
  readonly allowed: readonly string[];
}

/** One without a list of what is allowed. */
export const problemAt = (file: string, at: Position, path: string, message: string): ConfigProblem => ({
  file,
  ...at,
  path,
  message,
  allowed: [],
});

const MOST_PROBLEMS = 20;

/** The E106 of the problems, in the order of the file; the first twenty are in `data.problems`. */
export function configError(problems: readonly ConfigProblem[]): KaiError {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MOST_PROBLEMS);
  const [first] = sorted;
  if (!first) throw new RangeError("There is no error without a problem.");
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : "";
  const allowed = first.allowed.length > 0 ? `Allowed here: ${first.allowed.join(", ")}. ` : "";
  return new KaiError("E106", `${first.file}:${first.line}:${first.column}: ${first.message}${more}`, {
    hint: `${allowed}\`git kai-version config validate\` shows every problem in its place.`,
    data: { problems: sorted },
  });
}
