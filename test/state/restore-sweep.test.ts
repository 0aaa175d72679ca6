import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sample } from "../operation/kill-sweep.js";
import { leftovers } from "../operation/observe.js";
import { type Agent, copyAgent } from "../support/agent.js";
import { agentWithState, buildDriver, stateOf } from "./restoring.js";

/** `all` tries every call; a number, so many by each blow. */
const WANTED = process.env["KAI_SWEEP"];
const SEED = 20261121;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Struck {
  readonly calls: readonly string[];
  readonly exit: number;
  readonly stderr: string;
  /** The call that was struck. */
  readonly struck: string;
}

async function restore(agent: Agent, driver: string, ...strike: string[]): Promise<Struck> {
  const report = path.join(path.dirname(agent.dir), "calls.json");
  const tracer = [here("../operation/kill_points.py"), "--below", agent.dir, ...strike, "--report", report];
  const ended = await new Promise<Pick<Struck, "exit" | "stderr">>((resolve) => {
    const options = { cwd: agent.dir, env: agent.env } as const;
    execFile("python3", [...tracer, "--", process.execPath, driver], options, (error, _, stderr) =>
      resolve({ exit: Number(error?.code ?? 0), stderr }),
    );
  });
  const { names, fired } = JSON.parse(readFileSync(report, "utf8"));
  return { calls: names, struck: names[fired - 1] ?? "none", ...ended };
}

const count = (total: number, wanted: number): number => (WANTED === "all" ? total : Number(WANTED ?? wanted));

test("a restoration struck at any call that writes leaves the state of before or the captured one, as the log says", async () => {
  const agent = await agentWithState();
  const driver = await buildDriver(agent);
  const whole = copyAgent(agent);
  const { calls, exit, stderr } = await restore(whole, driver);
  expect([exit, stateOf(whole), stderr]).toEqual([0, "captured", ""]);
  // Placed through the held folder, and by sqlite3.
  expect(calls.filter((call) => /notes\/old\/note$/.test(call))).not.toEqual([]);
  expect(calls.filter((call) => /^sqlite3 .*memory.sqlite/.test(call))).not.toEqual([]);
  rmSync(path.dirname(whole.dir), { recursive: true });
  const head = agent.git("rev-parse", "refs/kai/log");
  const failures: string[] = [];
  const ended = { live: 0, captured: 0 };
  for (const [number, blow] of (["all", "first", "caller", "ENOSPC", "EIO"] as const).entries()) {
    for (const at of sample(calls.length, count(calls.length, 5), SEED + number)) {
      const copy = copyAgent(agent);
      const { struck } = await restore(copy, driver, "--at", String(at), "--do", blow);
      const recovered = await copy.kai("recover");
      const side = copy.git("rev-parse", "refs/kai/log") === head ? "live" : "captured";
      ended[side]++;
      const wrong = [
        ...(recovered.exit === 0 ? [] : [`recover: ${recovered}`]),
        ...(stateOf(copy) === side ? [] : [`state ${stateOf(copy)}`]),
        ...leftovers(copy),
        ...(/refs\/kai\/(pending|conflict)/.test(copy.git("for-each-ref")) ? ["refs left"] : []),
        ...copy
          .git("ls-files", "--others")
          .split("\n")
          .filter((name) => /kai-moved|\.staging/.test(name)),
      ];
      failures.push(...wrong.map((each) => `${blow} at ${at} (${struck}), ${side}: ${each}`));
      rmSync(path.dirname(copy.dir), { recursive: true });
    }
  }
  process.stdout.write(`restore state, ${calls.length} calls: ${ended.live} before, ${ended.captured} after\n`);
  expect(failures).toEqual([]);
}, 3_600_000);
