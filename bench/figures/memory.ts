import { appendFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { Figure } from "../figure.js";

const LIMIT = 200;

interface MemoryCase {
  readonly name: string;
  readonly title: string;
  readonly args: readonly string[];
  /** What is done to the copy before. */
  readonly change?: (cwd: string, commit: () => void) => void;
}

const CASES: readonly MemoryCase[] = [
  { name: "memory-current", title: "`current`", args: ["current"] },
  { name: "memory-list", title: "`list --json`", args: ["list", "--json"] },
  {
    name: "memory-verify",
    title: "`verify --all`, no cache",
    args: ["verify", "--all"],
    change: (cwd) => rmSync(path.join(cwd, ".git", "kai", "cache"), { recursive: true, force: true }),
  },
  { name: "memory-status", title: "`status`", args: ["status"] },
  {
    name: "memory-create",
    title: "`create`",
    args: ["create"],
    change: (cwd, commit) => {
      appendFileSync(path.join(cwd, "src", "part-0", "module-0.py"), "# changed\n");
      commit();
    },
  },
  { name: "memory-rollback", title: "`rollback`", args: ["rollback", "1.0.0", "--force"] },
];

/** The peak of the program's own process, in megabytes; the floor is the goal itself. */
export const MEMORY: readonly Figure[] = CASES.map(({ name, title, args, change }) => ({
  name,
  title: `memory of ${title}, 10,000 versions; floor: ${LIMIT} MB`,
  goal: { most: 1 },
  unit: "MB",
  async measure(bench, fixtures) {
    const cwd = await fixtures.copy("huge");
    change?.(cwd, () => bench.read(cwd, "git", ["commit", "--quiet", "--all", "-m", "fix: change one module"]));
    const ours = bench.peakMemory(cwd, ...args) / 1e6;
    fixtures.removeCopies();
    return { ours, floor: LIMIT, ratio: ours / LIMIT, best: ours / LIMIT };
  },
}));
