import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
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

for (const [moment, seen] of Object.entries(MOMENTS)) {
  test(`create and run, killed when ${moment}: prune leaves the host clean`, async () => {
    const agent = await snapshotAgent();
    for (const args of [
      ["create", "1.1.0"],
      ["run", "1.1.0", "--", "sleep", "30"],
    ]) {
      const killed = await killedWhen(agent, args, () => seen(agent));
      if (!killed) continue;
      await agent.made("prune", "--all");
      for (const { id } of (await agent.made("list")).snapshots) await agent.made("destroy", id);
      expect(agent.left(), args.join(" ")).toEqual(NOTHING_LEFT);
    }
  });
}

test("exec, killed: the snapshot goes on, and is ready again", async () => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const lease = () => agent.left().records.length > 0;
  expect(await killedWhen(agent, ["exec", id, "--", "sleep", "30"], lease)).toBe(true);
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
