import { rmSync } from "node:fs";
import path from "node:path";
import type { Bench } from "../bench.js";
import { type Figure, interleave } from "../figure.js";

/** Node, all tags with their contents, and the log: what a list cannot be had without. */
const listFloor = (bench: Bench, cwd: string): number =>
  bench.node(cwd) +
  bench.git(cwd, "for-each-ref", "--format=%(refname) %(objectname) %(contents)", "refs/tags") +
  bench.git(cwd, "log", "refs/kai/log");

const forgetSignatures = (cwd: string): void =>
  rmSync(path.join(cwd, ".git", "kai", "cache"), { recursive: true, force: true });

export const READ: readonly Figure[] = [
  {
    name: "list",
    title: "`list --json`, 10,000 versions, signatures from the cache",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("huge");
      bench.kai(cwd, "verify", "--all");
      return interleave(rounds, { floor: () => listFloor(bench, cwd), ours: () => bench.kai(cwd, "list", "--json") });
    },
  },
  {
    name: "list-unchecked",
    title: "`list --json`, 10,000 versions, no cache",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("huge");
      forgetSignatures(cwd);
      return interleave(rounds, { floor: () => listFloor(bench, cwd), ours: () => bench.kai(cwd, "list", "--json") });
    },
  },
  {
    name: "verify-cold",
    title: "`verify --all`, 1,000 versions, no cache; times faster than `git verify-tag`",
    goal: { least: 15 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("long");
      const tags = bench.read(cwd, "git", ["tag", "--list", "v*"]).split("\n").filter(Boolean);
      const gpg = fixtures.gnupg();
      const ours = () => {
        forgetSignatures(cwd);
        return bench.kai(cwd, "verify", "--all");
      };
      const floor = () => bench.time(cwd, "git", ["verify-tag", ...tags], { env: gpg });
      // A thousand starts of gpg take long enough to be steady.
      return interleave(Math.min(rounds, 2), { floor, ours }, true);
    },
  },
  {
    name: "verify-warm",
    title: "`verify --all`, 1,000 versions, as before; floor: `list` of them",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("long");
      bench.kai(cwd, "verify", "--all");
      return interleave(rounds, {
        floor: () => bench.kai(cwd, "list", "--json"),
        ours: () => bench.kai(cwd, "verify", "--all"),
      });
    },
  },
];
