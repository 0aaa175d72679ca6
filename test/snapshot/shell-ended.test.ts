import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
const END_SHELL = fileURLToPath(new URL("end-shell.py", import.meta.url));

/** The command lines on this machine that hold a text. */
const running = (text: string): string[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(text));

// Node ends by SIGQUIT and SIGKILL at once: the next command in the snapshot ends what is left inside.
test.each([
  ["TERM", "143 restored\n", true],
  ["INT", "130 restored\n", true],
  ["HUP", "", true],
  ["QUIT", "131 restored\n", false],
  ["KILL", "137 restored\n", false],
])("a shell at a terminal that SIG%s ends leaves no podman, and the terminal as it was", async (how, told, endsAll) => {
  const agent = await snapshotAgent();
  const { id } = await agent.made("create", "1.1.0");
  const sleep = `sleep 1000${process.pid}`;
  const args = [how, `echo "be"gun; ${sleep}`, process.execPath, PROGRAM, "snapshot", "shell", id];
  const options = { cwd: agent.dir, env: agent.env, encoding: "utf8", timeout: 60_000 } as const;
  const ran = spawnSync("/usr/bin/python3", [END_SHELL, ...args], options);
  expect(ran).toMatchObject({ stderr: "", stdout: told });
  const left = () => running("exec --interactive --tty").filter((line) => line.includes(id.toLowerCase()));
  await expect.poll(left, { timeout: 20_000 }).toEqual([]);
  if (!endsAll) await agent.made("exec", id, "--", "true");
  await expect.poll(() => running(sleep), { timeout: 20_000 }).toEqual([]);
});
