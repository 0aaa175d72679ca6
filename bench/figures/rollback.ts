import { existsSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { openRepository } from "../../src/git/repository.js";
import { isUnfinished } from "../../src/operation/is-unfinished.js";
import type { Bench } from "../bench.js";
import { type Figure, interleave, type Sides } from "../figure.js";

const RECOVERY_LIMIT_MS = 2;

/** What a rollback replaced is removed after its end, and must not be while the floor is timed. */
function waitUntilEmpty(folder: string): void {
  while (existsSync(folder) && readdirSync(folder).length > 0) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

const SETTING = `
version_management:
  artifacts:
    state: {include: [memory.sqlite]}
`;

/** A database of 1 MB whose rows say `text`. */
function writeDatabase(bench: Bench, cwd: string, text: string): void {
  const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO memory SELECT i, '${text}' || hex(randomblob(480)) FROM n;`;
  const input = `DROP TABLE IF EXISTS memory; CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT); ${rows} VACUUM;`;
  bench.read(cwd, "sqlite3", [path.join(cwd, "memory.sqlite")], { input });
}

/** Two versions of which all 1,000 files and the database differ: v1.1.1 and v1.1.2. */
function addStatefulVersions(bench: Bench, cwd: string): void {
  const config = path.join(cwd, "kai.yaml");
  writeFileSync(config, `agent_id: com.example.bench\n${SETTING}`);
  writeFileSync(path.join(cwd, ".git", "info", "exclude"), "memory.sqlite\n");
  for (const [version, from] of [
    ["1.1.1", "v1.0.0"],
    ["1.1.2", "v1.1.0"],
  ] as const) {
    bench.read(cwd, "git", ["checkout", "--quiet", from, "--", "src"]);
    writeDatabase(bench, cwd, version);
    bench.read(cwd, "git", ["add", "--all"]);
    bench.read(cwd, "git", ["commit", "--quiet", "-m", `fix: files of ${version}`]);
    bench.kai(cwd, "create", "--as", version);
  }
}

const SYNCED = ["-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync"];

/** What a rollback does, by git's plumbing and sqlite3, each thing synced: save the state, commit, check out, restore, name. */
function byHand(bench: Bench, cwd: string, to: string): number {
  const step = (file: string, ...args: string[]) => bench.time(cwd, file, args);
  const git = (...args: string[]) => step("git", ...SYNCED, ...args);
  const target = `refs/tags/v${to}`;
  let ms = bench.node(cwd);
  ms += step("sqlite3", "memory.sqlite", ".backup saved.sqlite");
  ms += git("hash-object", "-w", "saved.sqlite");
  const tree = bench.read(cwd, "git", ["rev-parse", `${target}^{tree}`]).trim();
  const changed = bench.read(cwd, "git", ["diff-tree", "-r", "--name-only", "HEAD", target]).trim().split("\n");
  ms += git("commit-tree", "-p", "HEAD", "-m", "back", tree);
  ms += git("read-tree", "-m", "-u", "HEAD", target);
  ms += bench.time(cwd, "xargs", ["-d", "\n", "sync"], { input: changed.join("\n") });
  const commit = bench.read(cwd, "git", ["commit-tree", "-p", "HEAD", "-m", "back", tree]).trim();
  ms += git("update-ref", "HEAD", commit);
  ms += git("tag", "--force", "-a", "-m", "in force", "bench-current", `${target}^{commit}`);
  ms += git("notes", "--ref=bench", "append", "-m", "told");
  bench.read(cwd, "sh", ["-c", `git cat-file blob refs/kai/state/v${to}:files/0 > captured.sqlite`]);
  ms += step("sqlite3", "memory.sqlite", ".restore captured.sqlite");
  return ms + step("sync", "memory.sqlite", ".git");
}

/** To and fro between two versions, both sides with the files of before on the disk. */
function turns(bench: Bench, agent: string, versions: readonly string[], floor: (to: string) => number): Sides {
  let turn = 0;
  return {
    floor: () => {
      bench.settle();
      return floor(versions[turn % 2] ?? "");
    },
    ours: () => {
      bench.settle();
      const ms = bench.kai(agent, "rollback", "--force", versions[turn++ % 2] ?? "");
      waitUntilEmpty(path.join(agent, ".git", "kai", "trash"));
      return ms;
    },
  };
}

export const ROLLBACK: readonly Figure[] = [
  {
    name: "rollback",
    title: "`rollback` of 1,000 changed files; floor: Node, `git checkout` of them",
    goal: { most: 2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const [plain, agent] = [await fixtures.copy("changed"), await fixtures.copy("changed")];
      const versions = ["1.0.0", "1.1.0"];
      const floor = (to: string) => bench.node(plain) + bench.git(plain, "checkout", `v${to}`, "--", ".");
      return interleave(rounds, turns(bench, agent, versions, floor));
    },
  },
  {
    name: "rollback-state",
    title:
      "`rollback` of 1,000 changed files and a database of 1 MB, state saved; floor: Node, git's plumbing and sqlite3, each file synced",
    goal: { most: 1.6 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const [plain, agent] = [await fixtures.copy("changed"), await fixtures.copy("changed")];
      for (const cwd of [plain, agent]) addStatefulVersions(bench, cwd);
      writeFileSync(path.join(plain, ".git", "info", "exclude"), "*.sqlite\n");
      const versions = ["1.1.1", "1.1.2"];
      return interleave(
        rounds,
        turns(bench, agent, versions, (to) => byHand(bench, plain, to)),
      );
    },
  },
  {
    name: "recovery-check",
    title: `looking whether an operation was interrupted, inside the process; floor: ${RECOVERY_LIMIT_MS} ms`,
    goal: { most: 1 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const repository = await openRepository(await fixtures.open("small"), bench.env);
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const started = performance.now();
        if (await isUnfinished(repository)) throw new Error("nothing was interrupted");
        times.push(performance.now() - started);
      }
      return interleave(rounds, { floor: () => RECOVERY_LIMIT_MS, ours: () => times.shift() ?? Number.NaN });
    },
  },
  {
    name: "undo",
    title: "`undo` of the newest of 10,000 operations; floor: of 10",
    goal: { most: 1.5 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const [few, many] = [await fixtures.copy("small"), await fixtures.copy("huge")];
      for (let turn = 0; turn < 4; turn++) bench.kai(few, "create", "--allow-unchanged");
      for (const cwd of [few, many]) bench.kai(cwd, "create", "--allow-unchanged");
      return interleave(rounds, { floor: () => bench.kai(few, "undo"), ours: () => bench.kai(many, "undo") });
    },
  },
];
