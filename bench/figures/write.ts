import { appendFileSync } from "node:fs";
import path from "node:path";
import type { Bench } from "../bench.js";
import { type Figure, interleave } from "../figure.js";
import type { FixtureName } from "../fixtures/fixtures.js";
import { countGitProcesses } from "../git-processes.js";

function commitChange(bench: Bench, cwd: string): void {
  appendFileSync(path.join(cwd, "src", "part-0", "module-0.py"), "# changed\n");
  bench.read(cwd, "git", ["commit", "--quiet", "--all", "-m", "fix: change one module"]);
}

export const WRITE: readonly Figure[] = [
  {
    name: "create",
    title: "`create`, 10,000 files and 1,000 versions; floor: Node, `git tag -s`, `git notes add`",
    goal: { most: 3 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const [plain, agent] = [await fixtures.copy("large"), await fixtures.copy("large")];
      bench.kai(agent, "create");
      const gpg = fixtures.gnupg();
      let number = 0;
      const floor = () => {
        commitChange(bench, plain);
        const name = `v9.0.${number++}`;
        const signed = ["-c", "user.signingKey=ada@example.com", "tag", "-s", name, "-m", "a version"];
        return (
          bench.node(plain) +
          bench.time(plain, "git", signed, { env: gpg }) +
          bench.git(plain, "notes", "--ref=kai", "add", "-m", "a record")
        );
      };
      const ours = () => {
        commitChange(bench, agent);
        return bench.kai(agent, "create");
      };
      return interleave(rounds, { floor, ours });
    },
  },
  {
    name: "create-processes",
    title: "git processes of `create`: 10,000 files and 1,000 versions; floor: 10 files and 1 version",
    goal: { most: 1 },
    unit: "git processes",
    async measure(bench, fixtures) {
      const counts: Record<string, number> = {};
      for (const name of ["small", "wide", "long", "large"] satisfies FixtureName[]) {
        const cwd = await fixtures.copy(name);
        commitChange(bench, cwd);
        bench.kai(cwd, "create");
        commitChange(bench, cwd);
        counts[name] = countGitProcesses((env) =>
          bench.time(cwd, process.execPath, [bench.folders.program, "create"], { env }),
        );
      }
      const ours = Math.max(...Object.values(counts));
      const floor = counts["small"] ?? 0;
      return { ours, floor, ratio: ours / floor, best: ours / floor };
    },
  },
];
