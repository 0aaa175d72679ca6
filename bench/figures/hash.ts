import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Bench } from "../bench.js";
import { type Figure, interleave } from "../figure.js";

function hashTree(bench: Bench, cwd: string, cache: string): { ms: number; read: number } {
  const started = performance.now();
  const read = bench.read(cwd, process.execPath, [path.join(bench.folders.bench, "hash-tree.mjs"), cache]);
  return { ms: performance.now() - started, read: Number(read) };
}

export const HASH: readonly Figure[] = [
  {
    name: "hash",
    title: "version hash of 2,000 files of 200 MB; floor: Node, `git cat-file --batch` of them",
    goal: { most: 1.5 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.open("mixed");
      const listed = bench.read(cwd, "git", ["ls-tree", "-r", "--format=%(objectname)", "HEAD"]);
      const floor = () =>
        bench.node(cwd) + bench.time(cwd, "git", ["cat-file", "--batch", "--buffer"], { input: listed });
      const ours = () => {
        const cache = mkdtempSync(path.join(tmpdir(), "kai-digests-"));
        try {
          return hashTree(bench, cwd, cache).ms;
        } finally {
          rmSync(cache, { recursive: true, force: true });
        }
      };
      return interleave(rounds, { floor, ours });
    },
  },
  {
    name: "hash-again",
    title: "files read for the hash after one of 2,000 changed; floor: that one",
    goal: { most: 1 },
    unit: "files",
    async measure(bench, fixtures) {
      const cwd = await fixtures.copy("mixed");
      const cache = path.join(cwd, ".git", "digests");
      hashTree(bench, cwd, cache);
      appendFileSync(path.join(cwd, "data", "set-0", "item-1.bin"), "changed");
      bench.read(cwd, "git", ["commit", "--quiet", "--all", "-m", "fix: one file"]);
      const { read } = hashTree(bench, cwd, cache);
      return { ours: read, floor: 1, ratio: read, best: read };
    },
  },
];
