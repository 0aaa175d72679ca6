import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Bench } from "../bench.js";
import { type Figure, interleave, type Measured } from "../figure.js";
import { agentOf, document, flagsFor, flagsOf, runtimeOf } from "./snapshot.js";

const MANY = 100;
const AT_ONCE = 20;
const MEBIBYTE = 1 << 20;

/** Makes so many snapshots, measures, and takes them away again. */
async function withMany<T>(
  bench: Bench,
  { cwd, count, version = "8.0.0" }: { cwd: string; count: number; version?: string },
  use: (first: string) => Promise<T> | T,
): Promise<T> {
  const ids = Array.from({ length: count }, () => String(document(bench, cwd, "create", version, "--json").id));
  try {
    return await use(ids[0] ?? "");
  } finally {
    for (const id of ids) bench.kai(cwd, "snapshot", "destroy", id);
  }
}

/** Kilobytes that are on the disk. */
const used = (bench: Bench, cwd: string, folders: readonly string[]): number =>
  folders.reduce((sum, folder) => sum + Number(bench.read(cwd, "du", ["-sk", folder]).split("\t")[0]), 0);

/** Starts programs at the same moment and gives the milliseconds that nineteen of twenty of them need at most. Fails where one fails. */
async function atOnce(
  bench: Bench,
  cwd: string,
  commands: readonly (readonly [string, ...string[]])[],
): Promise<number> {
  const times = await Promise.all(
    commands.map(async ([file, ...args]) => {
      const started = performance.now();
      const child = spawn(file, args, { cwd, env: bench.env, stdio: "ignore" });
      const [status] = await once(child, "exit");
      if (status !== 0) throw new Error(`${file} ${args.slice(0, 3).join(" ")} ended with ${status}`);
      return performance.now() - started;
    }),
  );
  return times.sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
}

/** As many containers as podman alone starts with the flags of a snapshot. */
async function byPodman(bench: Bench, cwd: string, flags: readonly string[]): Promise<number> {
  const base = mkdtempSync(path.join(tmpdir(), "kai-bench-"));
  const names = Array.from({ length: AT_ONCE }, (_, index) => `kai-bench-${process.pid}-${index}`);
  const commands = names.map((name): readonly [string, ...string[]] => {
    const upper = path.join(base, name);
    for (const folder of ["upper", "work"]) mkdirSync(path.join(upper, folder), { recursive: true, mode: 0o777 });
    return ["podman", ...runtimeOf(flags), "run", ...flagsFor(flags, name, upper)];
  });
  try {
    return (await atOnce(bench, cwd, commands)) + bench.node(cwd);
  } finally {
    bench.read(cwd, "podman", ["rm", "--force", "--time", "0", "--ignore", ...names]);
    rmSync(base, { recursive: true, force: true });
  }
}

async function ourCreates(bench: Bench, cwd: string): Promise<number> {
  const create = [process.execPath, bench.folders.program, "snapshot", "create", "8.0.0"] as const;
  try {
    return await atOnce(
      bench,
      cwd,
      Array.from({ length: AT_ONCE }, () => create),
    );
  } finally {
    const { snapshots } = document(bench, cwd, "list", "--json");
    for (const { id } of snapshots.slice(-AT_ONCE)) bench.kai(cwd, "snapshot", "destroy", id);
  }
}

export const MANY_SNAPSHOTS: readonly Figure[] = [
  {
    name: "snapshot-list",
    title: "`snapshot list` of 100; floor: Node, one git process",
    goal: { most: 1.5 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "small");
      return withMany(bench, { cwd, count: MANY }, () =>
        interleave(rounds, {
          floor: () => bench.node(cwd) + bench.git(cwd, "rev-parse", "HEAD"),
          ours: () => bench.kai(cwd, "snapshot", "list"),
        }),
      );
    },
  },
  {
    name: "snapshot-disk",
    title: "disk used by 100 snapshots of an agent of 100 MB in which nothing was done; floor: by one",
    goal: { most: 1.1 },
    unit: "MB",
    async measure(bench, fixtures) {
      const cwd = await agentOf(bench, fixtures, "small");
      writeFileSync(path.join(cwd, "weights.bin"), randomBytes(100 * MEBIBYTE));
      bench.read(cwd, "git", ["add", "weights.bin"]);
      bench.read(cwd, "git", ["commit", "--quiet", "-m", "feat: weights"]);
      bench.kai(cwd, "create", "--as", "8.1.0");
      const folders = [path.join(cwd, ".git", "snapshots"), path.join(cwd, ".git", "kai")];
      mkdirSync(folders[0] ?? "", { recursive: true });
      const before = used(bench, cwd, folders);
      const of = (count: number) =>
        withMany(bench, { cwd, count, version: "8.1.0" }, () => (used(bench, cwd, folders) - before) / 1024);
      const floor = await of(1);
      // The version's files are there by now, and count for both.
      const ours = await of(MANY);
      return { ours, floor, ratio: ours / floor, best: ours / floor } satisfies Measured;
    },
  },
  {
    name: "snapshot-many",
    title:
      "20 times `snapshot create` at once, the slowest but one; floor: Node, 20 times `podman run` with the same flags",
    goal: { most: 1.2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "small");
      return withMany(bench, { cwd, count: 1 }, async (id) => {
        // What they name is there as long as that snapshot is.
        const flags = flagsOf(bench, cwd, id);
        const pairs: { readonly floor: number; readonly ours: number }[] = [];
        for (let round = 0; round < Math.max(2, Math.min(rounds, 5)); round++) {
          pairs.push({ floor: await byPodman(bench, cwd, flags), ours: await ourCreates(bench, cwd) });
        }
        let turn = 0;
        return interleave(pairs.length - 1, {
          floor: () => pairs[turn]?.floor ?? Number.NaN,
          ours: () => pairs[turn++]?.ours ?? Number.NaN,
        });
      });
    },
  },
];
