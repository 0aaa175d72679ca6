import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Bench } from "../bench.js";
import { type Figure, interleave } from "../figure.js";
import type { Fixtures } from "../fixtures/fixtures.js";

/** An agent of so many files, whose snapshots have a folder of their own beside it. */
export async function agentOf(bench: Bench, fixtures: Fixtures, name: "small" | "wide"): Promise<string> {
  const cwd = await fixtures.copy(name);
  const temp = path.join(cwd, ".git", "snapshots");
  writeFileSync(
    path.join(cwd, "kai.yaml"),
    `agent_id: com.example.bench\nsnapshot_isolation: {temp_dir: "${temp}", max_concurrent: 200, resource_limits: {storage: 256Mi, memory: 256Mi}}\n`,
  );
  bench.read(cwd, "git", ["commit", "--quiet", "-am", "feat: be tried"]);
  bench.kai(cwd, "create", "--as", "8.0.0");
  // The version's files are written, and what this machine can do is known.
  bench.kai(cwd, "snapshot", "run", "8.0.0", "--", "true");
  return cwd;
}

export const document = (bench: Bench, cwd: string, ...args: string[]) =>
  JSON.parse(bench.read(cwd, process.execPath, [bench.folders.program, "snapshot", ...args]));

/** Makes a snapshot of the agent's version, gives its id to `use`, and destroys it. */
function withSnapshot<T>(bench: Bench, cwd: string, use: (id: string) => T): T {
  const { id } = document(bench, cwd, "create", "8.0.0", "--json");
  const result = use(String(id));
  bench.kai(cwd, "snapshot", "destroy", id);
  return result;
}

const containerOf = (id: string): string => `kai-${id.toLowerCase()}`;

/** The arguments by which podman made a snapshot's container: what they name is there as long as the snapshot is. */
export function flagsOf(bench: Bench, cwd: string, id: string): string[] {
  const inspected = bench.read(cwd, "podman", ["inspect", containerOf(id)]);
  return JSON.parse(inspected)[0].Config.CreateCommand.slice(1) as string[];
}

/** Says when it was run. */
const CLOCK = ["/bin/date", "+%s%N"];

const untilSaid = (bench: Bench, cwd: string): number =>
  bench.untilSaid(cwd, process.execPath, [bench.folders.program, "snapshot", "run", "8.0.0", "--", ...CLOCK]);

/** What follows `podman run` in those flags, for a container of another name with layers of its own in `upper`. */
export function flagsFor(flags: readonly string[], name: string, upper: string): string[] {
  const own = flags
    .slice(flags.indexOf("run") + 1)
    .map((each) => each.replace(/upperdir=[^,]*,workdir=.*$/, `upperdir=${upper}/upper,workdir=${upper}/work`));
  own[own.indexOf("--name") + 1] = name;
  own[own.indexOf("--pidfile") + 1] = path.join(upper, "pid");
  return own;
}

/** Until the first output of `podman create`, `init`, `start -a` of a container with the flags of a snapshot. */
function byPodman(bench: Bench, cwd: string, flags: readonly string[]): number {
  const name = `kai-bench-${process.pid}`;
  const upper = bench.read(cwd, "mktemp", ["-d"]).trim();
  bench.read(cwd, "sh", ["-c", `mkdir ${upper}/upper ${upper}/work && chmod 777 ${upper}/upper`]);
  const kept = flagsFor(flags, name, upper).filter((each) => each !== "--detach");
  kept.splice(kept.indexOf("--pidfile"), 2);
  const idle = kept.lastIndexOf("-P");
  const args = [...kept.slice(0, idle - 1), ...CLOCK];
  let ms = bench.node(cwd);
  ms += bench.time(cwd, "podman", [...runtimeOf(flags), "create", ...args]);
  ms += bench.time(cwd, "podman", ["init", name]);
  ms += bench.untilSaid(cwd, "podman", ["start", "--attach", name]);
  bench.read(cwd, "podman", ["rm", "--force", "--time", "0", name]);
  bench.read(cwd, "rm", ["-rf", upper]);
  return ms;
}

export const runtimeOf = (flags: readonly string[]): readonly string[] => flags.slice(0, flags.indexOf("run"));

export const SNAPSHOT: readonly Figure[] = [
  {
    name: "snapshot-run",
    title:
      "`snapshot run` until the command's first output; floor: Node, `podman create`, `init`, `start -a` with the same flags until then",
    goal: { most: 1.25 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "small");
      return withSnapshot(bench, cwd, (id) => {
        const flags = flagsOf(bench, cwd, id);
        return interleave(rounds, {
          floor: () => byPodman(bench, cwd, flags),
          ours: () => untilSaid(bench, cwd),
        });
      });
    },
  },
  {
    name: "snapshot-files",
    title: "`snapshot run` over 10,000 files until the command's first output; floor: over 10",
    goal: { most: 1.2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const [small, large] = [await agentOf(bench, fixtures, "small"), await agentOf(bench, fixtures, "wide")];
      return interleave(rounds, { floor: () => untilSaid(bench, small), ours: () => untilSaid(bench, large) });
    },
  },
  {
    name: "snapshot-exec",
    title: "`snapshot exec`; floor: Node, `podman exec`",
    goal: { most: 1.2 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "small");
      return withSnapshot(bench, cwd, (id) => {
        const exec = [...runtimeOf(flagsOf(bench, cwd, id)), "exec", containerOf(id), "/bin/echo", "x"];
        return interleave(rounds, {
          floor: () => bench.node(cwd) + bench.time(cwd, "podman", exec),
          ours: () => bench.kai(cwd, "snapshot", "exec", id, "--", "/bin/echo", "x"),
        });
      });
    },
  },
  {
    name: "snapshot-commit",
    title: "`snapshot commit` of one change among 10,000 files; floor: Node, `git add`, `git commit` of it",
    goal: { most: 3 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "wide");
      const plain = await fixtures.copy("wide");
      let turn = 0;
      return interleave(rounds, {
        floor: () => {
          writeFileSync(path.join(plain, "kai.yaml"), `agent_id: com.example.bench\n# ${turn}\n`);
          return (
            bench.node(plain) +
            bench.git(plain, "add", "kai.yaml") +
            bench.git(plain, "commit", "--quiet", "-m", `change ${turn}`)
          );
        },
        ours: () =>
          withSnapshot(bench, cwd, (id) => {
            bench.kai(cwd, "snapshot", "exec", id, "--", "/bin/sh", "-c", `echo ${turn++} > changed.txt`);
            return bench.kai(cwd, "snapshot", "commit", id);
          }),
      });
    },
  },
  {
    name: "snapshot-destroy",
    title: "`snapshot destroy`, beyond the start of Node; floor: 250 ms",
    goal: { most: 1 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await agentOf(bench, fixtures, "small");
      return interleave(rounds, {
        floor: () => 250,
        ours: () => {
          const { id } = document(bench, cwd, "create", "8.0.0", "--json");
          return bench.kai(cwd, "snapshot", "destroy", id) - bench.node(cwd);
        },
      });
    },
  },
];
