import { spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { type Agent, agentWithVersions } from "../support/agent.js";
import { leftovers } from "./observe.js";

/** How many entries the log has, none of which joins two lines. */
function lengthOfLog(agent: Agent): number {
  expect(agent.git("rev-list", "--merges", "refs/kai/log")).toBe("");
  return Number(agent.git("rev-list", "--count", "refs/kai/log"));
}

async function expectSound(agent: Agent): Promise<void> {
  expect((await agent.kai("verify", "--all", "--deep")).exit).toBe(0);
  expect(agent.git("fsck", "--strict", "--no-dangling")).toBe("");
  expect(leftovers(agent)).toEqual([]);
}

test("thirty creates at once make thirty versions, thirty records and one line of entries", {
  timeout: 180_000,
}, async () => {
  const agent = await agentWithVersions("1.0.0");
  const ran = await Promise.all(Array.from({ length: 30 }, () => agent.kai("create", "--allow-unchanged", "--json")));
  expect(ran.filter((each) => each.exit !== 0).map(String)).toEqual([]);
  const versions = ran.map((each) => each.json().version as string);
  expect(new Set(versions).size).toBe(30);
  expect(agent.git("tag", "--list", "v*").split("\n")).toHaveLength(31);
  const records = agent.git("notes", "--ref=kai", "show", "v1.0.0^{commit}").split("\n");
  expect(new Set(records.map((line) => JSON.parse(line).version)).size).toBe(31);
  expect(lengthOfLog(agent)).toBe(32);
  await expectSound(agent);
});

test("thirty rollbacks at once follow one another; who comes too late is told that nothing is to do", {
  timeout: 180_000,
}, async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const targets = Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? "1.0.0" : "1.1.0"));
  const ran = await Promise.all(targets.map((target) => agent.kai("rollback", target, "--force", "--json")));
  const done = ran.filter((each) => each.exit === 0);
  for (const each of ran) if (each.exit !== 0) expect(each.json().error.code).toBe("E109");
  expect(lengthOfLog(agent)).toBe(3 + done.length);
  expect(agent.git("status", "--porcelain")).toBe("");
  await expectSound(agent);
});

/** Runs a shell loop in the agent until the test ends it; gives what it printed. */
function loop(agent: Agent, script: string): { stop(): Promise<string> } {
  const child = spawn("sh", ["-c", `while [ ! -e ../stop ]; do ${script}; done`], {
    cwd: agent.dir,
    env: agent.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return {
    async stop() {
      agent.write("../stop", "");
      await ended;
      return text;
    },
  };
}

test("rollbacks against a user's commits: each side is done or refused, and nothing is lost", {
  timeout: 180_000,
}, async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const user = loop(
    agent,
    'n=$((n+1)); echo $n > user.md; git add user.md && git commit -qm "docs: $n" && echo "made $(git rev-parse HEAD)"',
  );
  const exits: number[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const ran = await agent.kai("rollback", turn % 2 === 0 ? "1.0.0" : "1.1.0", "--force");
    exits.push(Number(ran.exit));
    expect([0, 1, 4], String(ran)).toContain(ran.exit);
    if (ran.exit !== 0) expect(ran.stderr).toMatch(/E1(02|13|16|09)/);
  }
  const made = [...(await user.stop()).matchAll(/^made (\w+)$/gm)].map((match) => match[1] ?? "");
  await agent.kai("recover");
  expect(made.length).toBeGreaterThan(0);
  const reachable = new Set(agent.git("rev-list", "--all").split("\n"));
  expect(made.filter((commit) => !reachable.has(commit))).toEqual([]);
  expect(exits.length).toBe(6);
  await expectSound(agent);
});

test("operations while git packs and collects", { timeout: 180_000 }, async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const gc = loop(agent, "git pack-refs --all; git repack -adq; git gc -q");
  for (let turn = 0; turn < 3; turn++) {
    for (const command of [
      ["create", "--allow-unchanged"],
      ["rollback", "1.0.0", "--force"],
    ]) {
      const ran = await agent.kai(...command);
      if (ran.exit !== 0) expect(String(ran)).toMatch(/E113|E109/);
    }
  }
  await gc.stop();
  await expectSound(agent);
});
