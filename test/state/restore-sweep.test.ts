import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { sample } from "../operation/kill-sweep.js";
import { leftovers } from "../operation/observe.js";
import { type Agent, agentWithVersions, copyAgent } from "../support/agent.js";

/** `all` tries every call; a number, so many by each blow. */
const WANTED = process.env["KAI_SWEEP"];
const SEED = 20261121;
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const sql = (file: string, ...words: string[]) =>
  execFileSync("sqlite3", [file, ...words], { encoding: "utf8" }).trim();

/** An agent whose live state is another than that of its version: a file, a new one, and a database killed with its log hot. */
async function agentWithState(): Promise<Agent> {
  const agent = await agentWithVersions();
  agent.write(
    "kai.yaml",
    agent.git("show", "HEAD:kai.yaml").replace("memory.sqlite", "memory.sqlite, lost.sqlite, notes/"),
  );
  agent.write(".gitignore", "state.json\nmemory.sqlite*\nlost.sqlite*\nnotes/\n");
  agent.commit("feat: more state");
  const memory = path.join(agent.dir, "memory.sqlite");
  sql(
    memory,
    "pragma journal_mode=wal; create table seen (what); insert into seen select 'captured' from generate_series(1, 400);",
  );
  sql(path.join(agent.dir, "lost.sqlite"), "create table seen (what); insert into seen values ('captured');");
  agent.write("state.json", "captured\n");
  agent.write("notes/old/note", "captured\n");
  expect((await agent.kai("create", "--as", "1.0.0")).exit).toBe(0);
  const live = "pragma wal_autocheckpoint=0; update seen set what = 'live'; .shell kill -9 $PPID";
  try {
    execFileSync("sqlite3", [memory, ...live.split(/; (?=\.)/)], { stdio: "ignore" });
  } catch {
    // Killed, as it was to be.
  }
  expect(existsSync(`${memory}-wal`)).toBe(true);
  rmSync(path.join(agent.dir, "lost.sqlite"));
  rmSync(path.join(agent.dir, "notes/old"), { recursive: true });
  agent.write("state.json", "live\n");
  agent.write("notes/new", "live\n");
  return agent;
}

/** Which state it is: `captured`, `live`, or what is mixed. */
function stateOf(agent: Agent): string {
  const at = (name: string) => path.join(agent.dir, name);
  const text = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), "utf8").trim() : "none");
  const rows = (name: string) =>
    existsSync(at(name))
      ? sql(at(name), "select distinct what from seen; pragma integrity_check").replace("\nok", "")
      : "none";
  const seen = [
    text("state.json"),
    rows("memory.sqlite"),
    rows("lost.sqlite"),
    text("notes/old/note"),
    text("notes/new"),
  ];
  if (seen.join() === "captured,captured,captured,captured,none") return "captured";
  return seen.join() === "live,live,none,none,live" ? "live" : seen.join();
}

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
  const driver = path.join(path.dirname(agent.dir), "driver.mjs");
  const banner = {
    js: 'import { createRequire as driverRequire } from "node:module"; const require = driverRequire(import.meta.url);',
  };
  await build({
    entryPoints: [here("restore-driver.ts")],
    outfile: driver,
    bundle: true,
    format: "esm",
    platform: "node",
    banner,
  });
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
