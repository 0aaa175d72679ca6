import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NOTHING_LEFT, type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** A snapshot in which a command was run. */
async function oneWith(agent: SnapshotAgent, script: string): Promise<string> {
  const { id } = await agent.made("create", "1.1.0");
  await agent.made("exec", id, "--", "sh", "-c", script);
  return id;
}

/** Has its time be over. */
function expire(agent: SnapshotAgent, id: string, record: object = {}): void {
  const file = path.join(agent.dir, ".git/kai/snapshots", id, "record.json");
  const made = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...made, expiresAt: made.createdAt, ...record }));
}

const SETUID = { path: "logic.py", reason: "setuid or setgid" };

test("what can be in no version is named before it is lost, and goes only where somebody asks for that", async () => {
  const agent = await snapshotAgent();
  const work = "echo 'MY WORK' >> logic.py; chmod 4755 logic.py";
  const id = await oneWith(agent, `${work}; for n in $(seq 10 34); do mkfifo "q$n"; done`);
  expire(agent, id);
  const planned = await agent.made("prune", "--dry-run");
  expect(planned.pruned).toMatchObject([{ id, kept: null, wouldSave: false }]);
  expect(planned.pruned[0].refused).toHaveLength(26);
  expect(planned.pruned[0].refused).toContainEqual(SETUID);
  const { stdout } = await agent.snapshot("prune", "--dry-run");
  const told = ["logic.py: setuid or setgid", ...[...Array(19).keys()].map((n) => `q${n + 10}: a FIFO`), "and 6 more"];
  const lines = told.map((each) => `  would be lost  ${each}\n`).join("");
  expect(stdout).toContain(`Would remove ${id} (1.1.0): its time is over\n${lines}`);
  expect(stdout).not.toContain("q29");

  // Whoever makes another one is told once, and does not wait for the look again.
  const stays = `The snapshot ${id} of 1.1.0 stays, although its time is over: what can be in no version would be lost with it.`;
  const made = await agent.snapshot("create", "1.1.0");
  expect([made.exit, made.stderr]).toEqual([0, expect.stringContaining(stays)]);
  expect((await agent.snapshot("run", "1.1.0", "--", "true")).stderr).not.toContain(id);
  expect((await agent.kai("trigger", "run", "--json")).json().pruned).toEqual([]);
  expect((await agent.kai("trigger", "run", "--json", "--dry-run")).json().pruned).toEqual([]);
  expect(agent.left()).toMatchObject({ records: [id, expect.any(String)], containers: [expect.any(String)] });
  expect((await agent.made("diff", id)).refused).toContainEqual(SETUID);

  const { pruned } = await agent.made("prune");
  expect(pruned).toEqual([{ ...planned.pruned[0], wouldSave: null }]);
  const kept = await oneWith(agent, "mkfifo pipe; echo fine > fine.txt");
  expire(agent, kept);
  expect((await agent.snapshot("run", "--quiet", "1.1.0", "--", "true")).stderr).toContain(
    `The snapshot ${kept} of 1.1.0 stays`,
  );
  expire(agent, kept, { status: "committed" });
  await agent.made("run", "1.1.0", "--", "true");
  expect(agent.left().records).not.toContain(kept);
  expect(agent.git("for-each-ref", "refs/kai/snapshots")).toBe("");
  const mixed = await oneWith(agent, `${work}; echo fine > fine.txt`);
  expire(agent, mixed);
  const gone = await agent.snapshot("prune");
  const saved = agent.git("rev-parse", `refs/kai/snapshots/${mixed}`);
  expect(gone.stdout).toContain(
    `what it had changed is ${saved.slice(0, 10)} on refs/kai/snapshots/${mixed}\n  lost  logic.py: setuid or setgid\n`,
  );
});

test("one that cannot be claimed holds up the pruning of no other one", async () => {
  const agent = await snapshotAgent();
  const [bad, other] = [await oneWith(agent, "true"), await oneWith(agent, "true")];
  for (const id of [bad, other]) expire(agent, id);
  const lock = path.join(agent.dir, ".git/kai/snapshots", bad, "lock");
  mkdirSync(lock);
  const { pruned, left } = await agent.made("prune");
  expect(pruned).toMatchObject([{ id: other }]);
  expect(left).toEqual([{ id: bad, reason: expect.stringContaining(lock), hint: null }]);
  // Nor the making of one, each time anew: what is in the way may be gone.
  for (let times = 0; times < 2; times++) {
    const { exit, stderr } = await agent.snapshot("run", "1.1.0", "--", "true");
    expect([exit, stderr]).toEqual([
      0,
      expect.stringContaining(`The snapshot ${bad} of 1.1.0 stays, although its time`),
    ]);
    expect(stderr).toContain(lock);
  }
  rmSync(lock, { recursive: true });
  expect((await agent.made("prune")).pruned).toMatchObject([{ id: bad }]);
});

test("nothing is said to be lost of what nobody was to keep: a committed one, a throw-away one", async () => {
  const agent = await snapshotAgent();
  const work = "chmod 4755 logic.py; echo fine > fine.txt";
  const [committed, thrown] = [await oneWith(agent, work), await oneWith(agent, work)];
  expire(agent, committed, { status: "committed" });
  expire(agent, thrown, { throwAway: true, owner: "gone:1:1" });
  const wanted = [
    { id: committed, refused: [] },
    { id: thrown, refused: [] },
  ];
  expect((await agent.made("prune", "--dry-run")).pruned).toMatchObject(wanted);
  const { stderr } = await agent.snapshot("run", "1.1.0", "--", "true");
  const saved = agent.git("rev-parse", `refs/kai/snapshots/${thrown}`);
  expect(stderr).toContain(`Removed the snapshot ${committed} of 1.1.0: its time is over\n`);
  expect(stderr).toContain(
    `Removed the snapshot ${thrown} of 1.1.0: its caller was killed; what it had changed is ${saved.slice(0, 10)} on refs/kai/snapshots/${thrown}\n`,
  );
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expire(agent, await oneWith(agent, "echo fine > fine.txt"));
  expect((await agent.snapshot("run", "1.1.0", "--quiet", "--", "true")).stderr).toBe("");
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("a snapshot whose files cannot be read now is not taken for one whose files are gone", async () => {
  const agent = await snapshotAgent({}, { "sub/a.txt": "a\n" });
  const id = await oneWith(agent, "echo precious >> sub/a.txt");
  expire(agent, id);
  const bin = path.join(agent.dir, "../bin-tar");
  mkdirSync(bin);
  writeFileSync(path.join(bin, "tar"), "#!/bin/sh\necho 'no xattrs here' >&2; exit 2\n", { mode: 0o755 });
  const without = { PATH: `${bin}:${agent.env["PATH"]}` };
  for (const options of [["--dry-run"], []]) {
    const ran = await agent.run(process.execPath, [PROGRAM, "snapshot", "prune", "--json", ...options], without);
    const reason = expect.stringContaining("could not be read: no xattrs here");
    expect(ran.json()).toMatchObject({ pruned: [], left: [{ id, reason, hint: expect.stringContaining("GNU tar") }] });
  }
  expect(agent.left().records).toEqual([id]);
  expect((await agent.made("prune")).pruned).toMatchObject([{ id, kept: expect.any(String) }]);
  expect(agent.git("show", `refs/kai/snapshots/${id}:sub/a.txt`)).toBe("a\nprecious");
});
