import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { lockFile } from "../../src/system/file-lock.js";
import { told } from "../scenarios/place.js";
import type { Ran } from "../support/agent.js";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const recordsOf = (agent: SnapshotAgent): string => path.join(agent.dir, ".git/kai/snapshots");

function expire(agent: SnapshotAgent, id: string): void {
  const file = path.join(recordsOf(agent), id, "record.json");
  const record = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...record, expiresAt: record.createdAt }));
}

/** A command that stands still where it has read a snapshot's files and is about to keep them, until `goOn` is called. */
async function standingStill(agent: SnapshotAgent, ...args: string[]): Promise<{ goOn(): Promise<Ran> }> {
  const bin = path.join(path.dirname(agent.dir), "bin");
  const [stopped, git] = [
    path.join(bin, "stopped"),
    execFileSync("sh", ["-c", "command -v git"], { env: agent.env, encoding: "utf8" }).trim(),
  ];
  mkdirSync(bin);
  const stop = `[ "$word" = unpack-objects ] && [ ! -e ${stopped} ] && kill -STOP $PPID && echo $PPID > ${stopped}`;
  writeFileSync(path.join(bin, "git"), `#!/bin/sh\nfor word; do ${stop}; done\nexec ${git} "$@"\n`, { mode: 0o755 });
  const ended = agent.run(process.execPath, [PROGRAM, "snapshot", ...args], { PATH: `${bin}:${agent.env["PATH"]}` });
  const pid = () => (existsSync(stopped) ? Number(readFileSync(stopped, "utf8")) : 0);
  await expect.poll(pid, { timeout: 60_000 }).toBeGreaterThan(0);
  let stands = true;
  const goOn = () => {
    if (stands) process.kill(pid(), "SIGCONT");
    stands = false;
    return ended;
  };
  onTestFinished(async () => void (await goOn()));
  return { goOn };
}

/** Until so many wait for the lock of `file`. */
const waitingFor = (file: string, many: number) =>
  expect
    .poll(
      () => {
        const { ino } = statSync(file);
        return readFileSync("/proc/locks", "utf8").match(new RegExp(`-> FLOCK .*:${ino} `, "g"))?.length ?? 0;
      },
      { timeout: 60_000 },
    )
    .toBe(many);

test("a snapshot that somebody prunes is left alone by all others, and what it had changed is saved whole", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo precious > precious.txt");
  expire(agent, id);
  const first = await standingStill(agent, "prune", "--json");
  const lock = path.join(recordsOf(agent), id, "lock");
  expect(await agent.made("prune", "--all")).toMatchObject({ pruned: [], left: [] });
  expect(await told(agent, "trigger", "run")).toMatchObject({ pruned: [] });
  const saving = agent.refused("save", id);
  const destroying = agent.refused("destroy", id);
  await waitingFor(lock, 2);
  const { pruned } = (await first.goOn()).json();
  expect(pruned).toMatchObject([{ id, reason: "its time is over", kept: expect.any(String) }]);
  const gone = { code: "E101", message: `The snapshot ${id} is gone; what was saved of it is there.` };
  expect([await saving, await destroying]).toMatchObject([gone, gone]);
  expect(agent.git("rev-parse", `refs/kai/snapshots/${id}`)).toBe(pruned[0].kept);
  expect(agent.git("show", `refs/kai/snapshots/${id}:precious.txt`)).toBe("precious");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test.each(["save", "commit"])("%s of a stopped snapshot is ended by nobody who takes it away", async (keep) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", "echo precious > precious.txt");
  execFileSync("podman", ["kill", ...agent.left().containers], { env: agent.env, stdio: "ignore" });
  await expect.poll(async () => (await agent.made("show", id)).status, { timeout: 30_000 }).toBe("stopped");
  const keeping = await standingStill(agent, keep, id, "--json");
  expect(await agent.made("prune", "--all")).toMatchObject({ pruned: [], left: [] });
  const destroying = agent.made("destroy", id);
  await waitingFor(path.join(recordsOf(agent), id, "lock"), 1);
  const kept = await keeping.goOn();
  expect(kept.exit, String(kept)).toBe(0);
  await destroying;
  expect(agent.git("show", `${kept.json().commit}:precious.txt`)).toBe("precious");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("what a run changed and is about to commit is its own, however long it waits for that", async () => {
  const agent = await snapshotAgent();
  const file = path.join(agent.dir, ".git/kai/lock");
  const lock = await lockFile(file, { holder: "create", waitMs: 0 }, agent.env);
  const running = agent.made("run", "1.1.0", "--commit", "--", "sh", "-c", "echo new > new.txt");
  await waitingFor(file, 1);
  expect(await agent.made("prune", "--all")).toMatchObject({ pruned: [], left: [] });
  await lock.release();
  expect(await running).toMatchObject({ branch: expect.any(String), notCommitted: null });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a lost snapshot that another one takes away meanwhile does not come back as an empty one", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const lost = id.replace(/.$/, (last: string) => (last === "0" ? "1" : "0"));
  const [folder, copy] = [id, lost].map((each) => path.join(agent.tempDir, `kai-snapshot.${each}`)) as [string, string];
  const { snapshot, ...origin } = JSON.parse(readFileSync(path.join(folder, "origin.json"), "utf8"));
  mkdirSync(copy, { mode: 0o700 });
  const of = { ...snapshot, id: lost, folder: copy, container: `kai-${lost.toLowerCase()}`, process: null };
  writeFileSync(path.join(copy, "origin.json"), JSON.stringify({ ...origin, owner: "gone:1:1", snapshot: of }));
  const file = path.join(recordsOf(agent), "lock");
  const lock = await lockFile(file, { holder: "snapshot", waitMs: 0 }, agent.env);
  const pruning = agent.made("prune");
  await waitingFor(file, 1);
  rmSync(copy, { recursive: true });
  await lock.release();
  expect(await pruning).toMatchObject({ pruned: [], left: [], orphans: [] });
  expect(agent.left().records).toEqual([id]);
});
