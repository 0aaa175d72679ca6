import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { PruneResult } from "../../src/snapshot/prune-snapshots.js";
import { told } from "../scenarios/place.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** Kills the program, and nothing that it started, as soon as `when` holds; true where it had not ended before. */
async function killedWhen(agent: SnapshotAgent, args: readonly string[], when: () => boolean): Promise<boolean> {
  const child = spawn(process.execPath, [PROGRAM, "snapshot", ...args], {
    cwd: agent.dir,
    env: agent.env,
    stdio: "ignore",
  });
  const ended = new Promise<boolean>((resolve) => child.once("exit", (code) => resolve(code !== null)));
  const looking = setInterval(() => when() && child.kill("SIGKILL"), 2);
  return ended.then((byItself) => !byItself).finally(() => clearInterval(looking));
}

/** The moments of a snapshot's making that can be seen from outside. */
const MOMENTS: Readonly<Record<string, (agent: SnapshotAgent) => boolean>> = {
  "its record is there": (agent) => agent.left().records.length > 0,
  "its folder is there": (agent) => agent.left().folders.length > 0,
  "its container is there": (agent) => agent.left().containers.length > 0,
};

const CLEANERS = [["snapshot", "prune", "--all"], ["recover"]];
const KILLED = Object.entries(MOMENTS).flatMap(([moment, seen]) =>
  CLEANERS.map((cleaner) => ({ moment, seen, cleaner, name: cleaner.join(" ") })),
);

for (const { moment, seen, cleaner, name } of KILLED) {
  test(`create and run, killed when ${moment}: ${name} leaves the host clean`, async () => {
    const agent = await snapshotAgent();
    for (const args of [
      ["create", "1.1.0"],
      ["run", "1.1.0", "--", "sleep", "30"],
    ]) {
      const killed = await killedWhen(agent, args, () => seen(agent));
      if (!killed) continue;
      await told(agent, ...cleaner);
      for (const { id } of (await agent.made("list")).snapshots) await agent.made("destroy", id);
      expect(agent.left(), args.join(" ")).toEqual(NOTHING_LEFT);
    }
  });
}

const COMMANDS = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";

test("exec, killed: the snapshot is ready again, and the next command in it ends what was left", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "setsid sleep 1001 >/dev/null 2>&1 &");
  const folder = path.join(agent.tempDir, agent.left().folders.find((name) => name.endsWith(id)) ?? "");
  const begun = () => ["upper", "volume/upper"].some((layer) => existsSync(path.join(folder, layer, "begun")));
  const left = ["exec", id, "--", "sh", "-c", ": > begun; setsid env -i sleep 1002 & sleep 1003"];
  expect(await killedWhen(agent, left, begun)).toBe(true);
  expect(await agent.made("show", id)).toMatchObject({ status: "ready" });
  const { stdout } = await agent.made("exec", id, "--", "sh", "-c", COMMANDS);
  expect(stdout.match(/sleep \d+/g)).toEqual(["sleep 1001"]);
  const { executions } = await agent.made("logs", id);
  expect(executions).toMatchObject([
    { state: "ended", exitCode: 0 },
    { state: "interrupted", exitCode: null, command: ["sh", "-c", left.at(-1)], at: expect.any(String) },
    { state: "ended", exitCode: 0 },
  ]);
  expect((await agent.snapshot("logs", id, "--list")).stdout).toContain("interrupted");
});

test.each([
  [["snapshot", "prune"], (result: PruneResult) => result],
  [["recover"], ({ snapshots }: { snapshots: PruneResult }) => snapshots],
] as const)(
  "exec, killed: %s ends what was left, also what podman is only about to start",
  async (cleaner, resultOf) => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0");
    const record = path.join(agent.dir, ".git/kai/snapshots", id);
    const leased = () => readdirSync(record).some((name) => name.startsWith("execution-"));
    expect(await killedWhen(agent, ["exec", id, "--", "sleep", "1001"], leased)).toBe(true);
    expect(resultOf(await told(agent, ...cleaner))).toMatchObject({ pruned: [], ended: [{ snapshot: id }] });
    expect(leased()).toBe(false);
    const { stdout } = await agent.made("exec", id, "--", "sh", "-c", COMMANDS);
    expect(stdout).not.toContain("1001");
    expect(resultOf(await told(agent, ...cleaner))).toMatchObject({ ended: [] });
  },
);

/** A program that kills whoever calls it with that word, and does what it is asked for before, or not at all. */
function deadlyProgram(
  agent: SnapshotAgent,
  name: string,
  word: string,
  first: "obeys" | "kills" = "kills",
): (...args: string[]) => Promise<void> {
  const bin = path.join(path.dirname(agent.dir), `bin-${name}`);
  const real = execFileSync("sh", ["-c", `command -v ${name}`], { env: agent.env, encoding: "utf8" }).trim();
  mkdirSync(bin, { recursive: true });
  const obeys = first === "obeys" ? `${real} "$@";` : "";
  const script = `#!/bin/sh\nfor word; do [ "$word" = ${word} ] && { ${obeys} kill -9 $PPID; exit 1; }; done\nexec ${real} "$@"\n`;
  writeFileSync(path.join(bin, name), script, { mode: 0o755 });
  const deadly = { PATH: `${bin}:${agent.env["PATH"]}` };
  return async (...args) =>
    expect((await agent.run(process.execPath, [PROGRAM, "snapshot", ...args], deadly)).exit).toBe("SIGKILL");
}

/** When the files were read and trees are to be written. */
const deadlyGit = (agent: SnapshotAgent) => deadlyProgram(agent, "git", "unpack-objects");

const DESTROYED = [
  { when: "its container is to be removed", network: "isolated", program: "podman", word: "rm", cleaner: ["recover"] },
  { when: "its container is gone", network: "bridge", program: "podman", word: "network", cleaner: ["recover"] },
  {
    when: "its container is gone",
    network: "bridge",
    program: "podman",
    word: "network",
    cleaner: ["snapshot", "prune"],
  },
] as const;

for (const { when, network, program, word, cleaner } of DESTROYED) {
  test(`destroy, killed when ${when}: ${cleaner.join(" ")} takes the rest away, and saves nothing`, async () => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0", "--network", network);
    await agent.made("exec", id, "--", "sh", "-c", "echo unwanted > unwanted.txt");
    await deadlyProgram(agent, program, word)("destroy", id);
    const reason = "its destruction did not come to its end";
    expect(await agent.made("show", id)).toMatchObject({ status: "error", reason });
    expect(await agent.refused("save", id)).toMatchObject({ code: "E103", hint: expect.stringContaining("recover") });
    expect((await agent.made("prune", "--dry-run")).pruned).toMatchObject([{ id, reason, wouldSave: false }]);
    const done = await told(agent, ...cleaner);
    expect((done.snapshots ?? done).pruned).toEqual([
      { id, version: "1.1.0", reason, kept: null, wouldSave: null, refused: [] },
    ]);
    expect(agent.left()).toEqual(NOTHING_LEFT);
    const listing = ["network", "ls", "--format", "{{.Name}}"];
    expect(execFileSync("podman", listing, { env: agent.env, encoding: "utf8" })).not.toContain(id.toLowerCase());
    expect(agent.git("for-each-ref", "refs/kai/snapshots")).toBe("");
  });
}

test.each(CLEANERS.map((cleaner) => ({ cleaner, name: cleaner.join(" ") })))(
  "destroy, killed when its folder is out of sight: $name takes that away",
  async ({ cleaner }) => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0");
    const deadly = path.join(path.dirname(agent.dir), "deadly.cjs");
    writeFileSync(
      deadly,
      `const files = require("node:fs/promises"), { rename } = files;
files.rename = async (from, to) => {
  await rename(from, to);
  if (String(to).endsWith(".gone")) process.kill(process.pid, "SIGKILL");
};
require("node:module").syncBuiltinESMExports();
`,
    );
    const ran = await agent.run(process.execPath, ["--require", deadly, PROGRAM, "snapshot", "destroy", id]);
    expect(ran.exit).toBe("SIGKILL");
    const [gone, ...others] = agent.left().folders;
    expect([gone, others]).toEqual([expect.stringMatching(/\.gone$/), []]);
    const done = await told(agent, ...cleaner);
    expect((done.snapshots ?? done).orphans).toEqual([gone]);
    expect(agent.left()).toEqual(NOTHING_LEFT);
  },
);

test("prune, killed when what it takes away is saved: recover takes the rest away", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo wanted > wanted.txt");
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
  await deadlyProgram(agent, "umount", "--lazy")("prune");
  const { snapshots } = await told(agent, "recover");
  expect(snapshots.pruned).toMatchObject([{ id, kept: null }]);
  expect(agent.git("show", `refs/kai/snapshots/${id}:wanted.txt`)).toBe("wanted");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

const stateOf = (agent: SnapshotAgent): string =>
  execFileSync("podman", ["inspect", "--format", "{{.State.Status}}", ...agent.left().containers], {
    env: agent.env,
    encoding: "utf8",
  }).trim();

/** What runs in it, and what becomes of its container while its files are read. */
const BESIDE = [
  { beside: "nothing runs in it", command: "echo new > new.txt", state: "running" },
  { beside: "something runs in it", command: "echo new > new.txt; sleep 300 &", state: "paused" },
];

for (const { beside, command, state } of BESIDE) {
  test(`save and commit, killed while the snapshot is held still and ${beside}: it goes on, and can be used as before`, async () => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0");
    await agent.made("exec", id, "--", "sh", "-c", command);
    const killed = deadlyGit(agent);

    await killed("save", id);
    expect(stateOf(agent)).toBe(state);
    expect(await agent.made("exec", id, "--", "cat", "new.txt")).toMatchObject({ stdout: "new\n", exitCode: 0 });
    await killed("commit", id);
    expect(stateOf(agent)).toBe(state);
    expect(await agent.made("diff", id)).toMatchObject({ added: ["new.txt"] });
    expect(await agent.made("show", id)).toMatchObject({ status: "ready" });
    await killed("save", id);
    expect((await agent.kai("recover")).stdout).toBe(`✓ ${id} goes on: whoever held it still was killed\n`);
    expect(stateOf(agent)).toBe("running");
    await killed("save", id);
    expect(await agent.made("prune")).toMatchObject({ resumed: [id], pruned: [] });
    expect((await agent.kai("recover")).stdout).toBe("Nothing was interrupted.\n");
    await killed("save", id);
    await agent.made("destroy", id);
    expect(agent.left()).toEqual(NOTHING_LEFT);
  });
}

test.each(["", "--version"])("commit %s, killed behind its commit point: recover has it told", async (option) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
  await deadlyProgram(agent, "git", "update-ref", "obeys")("commit", id, ...(option ? [option] : []));
  expect((await told(agent, "recover")).snapshots.committed).toEqual([id]);
  const branch = option ? "main" : `kai/snapshot/${id}`;
  const committed = agent.git("rev-parse", branch);
  expect(await agent.made("show", id)).toMatchObject({ status: "committed", committed });
  expect(agent.git("show", `${branch}:new.txt`)).toBe("new");
  await expect.poll(() => agent.left().containers).toEqual([]);
  expect((await agent.kai("recover")).stdout).toBe("Nothing was interrupted.\n");
});

for (const cleaner of CLEANERS) {
  test(`commit, killed while git is asked what Git LFS keeps: ${cleaner.join(" ")} takes away what that left`, async () => {
    const agent = await snapshotAgent({}, { ".gitattributes": "*.bin filter=lfs -text\n" });
    const { id } = await agent.made("create", "1.1.0");
    await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
    const kept = path.join(agent.dir, ".git/kai/snapshots", id);
    const before = [...readdirSync(kept), "lock"].sort();
    await deadlyProgram(agent, "git", "check-attr")("commit", id);
    expect(readdirSync(path.join(kept, "scratch"))).toEqual(["index"]);
    await told(agent, ...cleaner);
    expect(readdirSync(kept).sort()).toEqual(before);
  });
}

test("commit, killed ahead of its commit point: nothing is told to be committed", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
  await deadlyProgram(agent, "git", "update-ref")("commit", id);
  expect((await told(agent, "recover")).snapshots.committed).toEqual([]);
  expect(await agent.made("show", id)).toMatchObject({ status: "ready", committed: null });
  expect(await agent.made("commit", id)).toMatchObject({ branch: `kai/snapshot/${id}` });
});

for (const cleaner of CLEANERS) {
  test(`save, killed while git writes a pack: ${cleaner.join(" ")} takes that away, and none that is older`, async () => {
    const agent = await snapshotAgent();
    const { id } = await agent.made("create", "1.1.0");
    await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
    const packOf = (name: string) => path.join(agent.dir, ".git/objects/pack", `tmp_pack_${name}`);
    writeFileSync(packOf("older"), "PACK");
    utimesSync(packOf("older"), 1e9, 1e9);
    await deadlyGit(agent)("save", id);
    writeFileSync(packOf("killed"), "PACK");
    await told(agent, ...cleaner);
    expect(["older", "killed"].map((name) => existsSync(packOf(name)))).toEqual([true, false]);
  });
}

test("a command whose caller was killed may be still to come: the snapshot is paused for it", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo new > new.txt");
  writeFileSync(path.join(agent.dir, ".git/kai/snapshots", id, "execution-of-the-dead"), "");
  await deadlyGit(agent)("save", id);
  expect(stateOf(agent)).toBe("paused");
});

test("a snapshot whose files are looked at by several at once goes on", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const looks = await Promise.all([1, 2, 3, 4].map(() => agent.snapshot("diff", id)));
  // Who comes while another one holds it still is told so.
  for (const look of looks) expect([0, 4], String(look)).toContain(look.exit);
  expect(await agent.made("show", id)).toMatchObject({ status: "ready" });
  expect(await agent.made("exec", id, "--", "echo", "on")).toMatchObject({ stdout: "on\n" });
});

test("Ctrl-C takes back what was begun", async () => {
  const agent = await snapshotAgent();
  const args = [PROGRAM, "snapshot", "run", "1.1.0", "--", "sleep", "30"];
  const child = spawn(process.execPath, args, { cwd: agent.dir, env: agent.env, stdio: "ignore" });
  const ended = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
  await expect.poll(() => agent.left().containers.length, { timeout: 30_000 }).toBe(1);
  child.kill("SIGINT");
  expect(await ended).toBe("SIGINT");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});
