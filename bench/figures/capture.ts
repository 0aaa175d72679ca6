import { appendFileSync, rmSync } from "node:fs";
import path from "node:path";
import { type Figure, interleave } from "../figure.js";

const DATABASE = `pragma page_size=4096; create table memory (id integer primary key, what blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 50000) insert into memory select i, randomblob(4000) from n;`;

export const CAPTURE: readonly Figure[] = [
  {
    name: "capture",
    title: "`create` that captures a database of 200 MB; floor: Node, `sqlite3 .backup`, `sha256sum`",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.copy("small");
      appendFileSync(path.join(cwd, ".gitignore"), "memory.sqlite\n");
      appendFileSync(
        path.join(cwd, "kai.yaml"),
        "version_management: {artifacts: {state: {include: [memory.sqlite], keep: 1}}}\n",
      );
      bench.read(cwd, "git", ["add", "."]);
      bench.read(cwd, "git", ["commit", "--quiet", "-m", "feat: a memory"]);
      bench.read(cwd, "sqlite3", ["memory.sqlite", DATABASE]);
      const copy = path.join(cwd, ".git", "copy.sqlite");
      const floor = () => {
        bench.settle();
        const ms =
          bench.node(cwd) +
          bench.time(cwd, "sqlite3", ["memory.sqlite", `.backup main ${path.relative(cwd, copy)}`]) +
          bench.time(cwd, "sha256sum", [copy]);
        rmSync(copy);
        return ms;
      };
      const ours = () => {
        bench.read(cwd, "sqlite3", ["memory.sqlite", "update memory set what = randomblob(4000) where id = 1"]);
        bench.settle();
        return bench.kai(cwd, "create", "--allow-unchanged");
      };
      return interleave(rounds, { floor, ours });
    },
  },
];
