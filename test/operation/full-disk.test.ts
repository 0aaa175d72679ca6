import { cpSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { smallDisk } from "../support/small-disk.js";
import { leftovers } from "./observe.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** From no room to more than any of the commands needs. */
const ROOM = [0, 2, 5, 8, 11, 14, 17, 19, 21, 23, 26, 32, 64, 1024];

/** A command, and what there is when it meets the full disk. */
const CASES: readonly { args: readonly string[]; prepare?: (agent: Agent) => unknown }[] = [
  {
    args: ["create"],
    prepare(agent) {
      agent.write("logic.py", "print('more')\n".repeat(500));
      agent.commit("feat: more");
    },
  },
  { args: ["rollback", "1.0.0"] },
  {
    args: ["rollback", "1.0.0", "--force"],
    prepare: (agent) => agent.write("logic.py", "print('mine')\n".repeat(500)),
  },
  { args: ["undo"], prepare: (agent) => agent.kai("rollback", "1.0.0") },
  {
    args: ["init", "--yes"],
    prepare(agent) {
      agent.remove(".git");
      agent.git("init", "--quiet", "--initial-branch=main");
      agent.commit("feat: everything");
    },
  },
];

for (const { args, prepare } of CASES) {
  test(`${args.join(" ")} on a disk that is full: nothing, or all of it once there is room`, async () => {
    const agent = await agentWithVersions("1.0.0", "1.1.0");
    await prepare?.(agent);
    await untilThereIsRoom(agent, args);
  });
}

test("a limit on the size of files is met like a full disk", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  agent.write("logic.py", "print('mine')\n".repeat(500));
  await untilThereIsRoom(agent, ["rollback", "1.0.0", "--force"], { disk: false });
});

async function untilThereIsRoom(agent: Agent, args: readonly string[], how?: { disk: boolean }): Promise<void> {
  const place = await smallDisk(how);
  const seen = { ...agent, dir: path.join(place.seen, "clerk") };
  cpSync(agent.dir, seen.dir, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  const cwd = path.join(place.dir, "clerk");
  const env = { ...agent.env, GIT_OPTIONAL_LOCKS: "0" };
  const run = (file: string, ...more: string[]) => place.run(file, more, { cwd, env });
  const kai = (...more: readonly string[]) => run(process.execPath, PROGRAM, ...more);
  // What a rollback would overwrite is saved first, and stays saved.
  const refs = async () =>
    (await run("git", "for-each-ref")).stdout.split("\n").filter((line) => !line.includes("refs/kai/backup/"));
  const state = async () => [await refs(), (await run("git", "status", "--porcelain=v2")).stdout];
  const before = await state();
  let failures = 0;
  let done = false;
  for (const room of ROOM) {
    place.leave(room);
    const ran = await kai(...args);
    expect((await run("git", "fsck", "--strict", "--no-dangling")).toString()).toBe("[exit 0]");
    done = ran.exit === 0;
    if (done) break;
    failures++;
    expect(ran.stderr).toMatch(/^Error (E118|E114): .+\nHint: .+\n$/s);
    if (ran.exit === 4) {
      // It has happened, and the rest waits for room.
      place.leave(ROOM.at(-1) ?? 0);
      done = (await kai("recover")).exit === 0;
      break;
    }
    expect(await state()).toEqual(before);
    expect(leftovers(seen)).toEqual([]);
  }
  expect([done, failures > 0]).toEqual([true, true]);
  expect(leftovers(seen)).toEqual([]);
  expect((await run("git", "status", "--porcelain", "--untracked-files=no")).stdout).toBe("");
  expect((await kai("verify", "--all", "--deep")).toString()).toMatch(/\[exit 0\]$/);
  expect((await kai("recover", "--json")).json().recovered).toEqual([]);
}
