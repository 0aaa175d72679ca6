import type { Bench } from "./bench.js";
import type { Fixtures } from "./fixtures/fixtures.js";

/** One goal of the cost list. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** `at most` or `at least` so many times the floor. */
  readonly goal: { readonly most: number } | { readonly least: number };
  readonly unit: "ms" | "MB" | "git processes" | "files";
  measure(bench: Bench, fixtures: Fixtures, rounds: number): Promise<Measured>;
}

export interface Measured {
  /** Medians, in the figure's unit. */
  readonly ours: number;
  readonly floor: number;
  /** Median of the rounds' own ratios: floor and ours stand side by side in time, whatever else the machine does. */
  readonly ratio: number;
  /** Ratio of the quickest rounds. */
  readonly best: number;
}

export interface Sides {
  readonly floor: () => number;
  readonly ours: () => number;
}

/** Measures floor, ours, floor, ours, … and compares each pair; with `inverse` the ratio says how much faster ours is. */
export function interleave(rounds: number, { floor, ours }: Sides, inverse = false): Measured {
  const pairs: { floor: number; ours: number }[] = [];
  // The first round warms the file cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const pair = { floor: floor(), ours: ours() };
    if (round > 0 || rounds === 1) pairs.push(pair);
  }
  const ratioOf = (pair: { floor: number; ours: number }) =>
    inverse ? pair.floor / pair.ours : pair.ours / pair.floor;
  const floors = pairs.map((pair) => pair.floor);
  const mine = pairs.map((pair) => pair.ours);
  return {
    ours: median(mine),
    floor: median(floors),
    ratio: median(pairs.map(ratioOf)),
    best: ratioOf({ floor: Math.min(...floors), ours: Math.min(...mine) }),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? high) + high) / 2;
}
