/** A package at the one version that a lock file settles on. */
export interface Dependency {
  /** Package URL, e.g. `pkg:npm/%40scope/name@1.0.0` (ECMA-427). */
  purl: string;
  /** npm: with its scope. PyPI: normalised by PEP 503. */
  name: string;
  version: string;
  ecosystem: Ecosystem;
  /** As the lock file has it: `sha512-…` (npm) or `sha256:…` (pip), several separated by spaces. */
  hash?: string;
  file: string;
  /** From 1. */
  line: number | null;
  /** Asked for by the agent itself, not only by another package. */
  direct: boolean;
}

export type Ecosystem = "npm" | "pypi";

/** Something in a lock file that is not recorded, and why. */
export interface DependencyProblem {
  path: string;
  line: number | null;
  message: string;
}

export interface LockFileText {
  readonly path: string;
  readonly text: string;
}

export interface Dependencies {
  dependencies: Dependency[];
  problems: DependencyProblem[];
}
