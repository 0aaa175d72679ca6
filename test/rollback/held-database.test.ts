import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { agentWithMemory, stateOf } from "../operation/live-agent.js";
import { leftovers, observeButLog } from "../operation/observe.js";
import { refused, told } from "../scenarios/place.js";

const HOLD = `import sqlite3, time
c = sqlite3.connect("memory.sqlite", isolation_level=None)
c.execute("begin immediate")
print("held", flush=True)
time.sleep(120)`;

test("a database that somebody holds for writing refuses a rollback before anything has happened", async () => {
  const agent = await agentWithMemory();
  const holder = spawn("python3", ["-c", HOLD], { cwd: agent.dir, stdio: ["ignore", "pipe", "ignore"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await once(holder.stdout, "data");
  const [before, state] = [observeButLog(agent), stateOf(agent)];
  expect(await refused(agent, "rollback", "1.0.0")).toMatchObject({
    code: "E123",
    exit: 1,
    message: expect.stringMatching(/^The database memory\.sqlite cannot be restored: somebody holds it/),
    hint: "Nothing was changed. Stop what writes to it, and run it again.",
  });
  expect(observeButLog(agent)).toEqual(before);
  expect(stateOf(agent)).toEqual(state);
  expect(leftovers(agent)).toEqual([]);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  expect(await told(agent, "rollback", "1.0.0")).toMatchObject({ ok: true });
});
