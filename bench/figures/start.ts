import { type Figure, interleave } from "../figure.js";

export const START: readonly Figure[] = [
  {
    name: "version",
    title: "`--version`",
    goal: { most: 1.3 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("small");
      return interleave(rounds, { floor: () => bench.node(cwd), ours: () => bench.kai(cwd, "--version") });
    },
  },
  {
    name: "current",
    title: "`current`, 10,000 versions",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("huge");
      return interleave(rounds, { floor: () => bench.node(cwd), ours: () => bench.kai(cwd, "current") });
    },
  },
];
