import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { told } from "../scenarios/place.js";
import { type Agent, agentWithVersions } from "../support/agent.js";

/** An agent whose versions say how it is stopped, started and asked whether it is well. */
export interface LiveAgent extends Agent {
  /** Makes a version of these files in this process. */
  version(number: string, files?: Readonly<Record<string, string>>): Promise<void>;
  /** What its commands wrote down, each line one, since the last time that somebody asked. */
  events(): string[];
  /** How many processes run that its start command started. */
  running(): Promise<number>;
  /** Kills what its start command started, as a crash would. */
  crash(): Promise<void>;
  /** Starts something in its folder by hand, which nobody marked; it ends with the test. Gives its number. */
  startByHand(): number;
  has(name: string): boolean;
  read(name: string): string;
}

/** Ends by SIGTERM, and says so. `$KAI_VERSION` is the version that started it. */
const RUN = `#!/bin/sh
trap 'echo "ended $KAI_VERSION" >> ../events; exit 0' TERM
echo "started $KAI_VERSION" >> ../events
while :; do sleep 0.02; done
`;

/** kai.yaml of an agent that runs; `more` is added to it as it stands. */
export const kaiYaml = (lifecycle: string, more = ""): string => `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json, memory.sqlite, "var/*.db"]}}}
lifecycle:
${lifecycle
  .split("\n")
  .map((line) => `  ${line}`)
  .join("\n")}
${more}`;

export const START = "start: {run: exec ./run.sh, timeout: 20s}";
export const HEALTH = `health: {run: grep -q "started $KAI_VERSION" ../events, timeout: 5s, retries: 5}`;

/** One with `0.9.0`, or others, which nothing manages; what it runs ends with the test. */
export async function liveAgent(unmanaged: readonly string[] = ["0.9.0"]): Promise<LiveAgent> {
  const agent = await agentWithVersions(...unmanaged);
  const mark = agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir);
  onTestFinished(async () => {
    await endMarked(mark, 0);
  });
  const events = path.join(agent.dir, "../events");
  // For commands that run in a copy.
  agent.env["EVENTS"] = events;
  return {
    ...agent,
    async version(number, files = {}) {
      for (const [name, text] of Object.entries({ "run.sh": RUN, "logic.py": `# ${number}\n`, ...files })) {
        agent.write(name, text);
        if (name.endsWith(".sh")) chmodSync(path.join(agent.dir, name), 0o755);
      }
      agent.commit(`feat: ${number}`);
      await told(agent, "create", "--as", number, "--allow-unchanged");
    },
    events() {
      if (!existsSync(events)) return [];
      const lines = readFileSync(events, "utf8").trimEnd().split("\n");
      rmSync(events);
      return lines;
    },
    async crash() {
      await endMarked(mark, 0);
      rmSync(events, { force: true });
    },
    startByHand() {
      const { dir: cwd, env } = agent;
      // By a shell that ends, so that it is no child of this process.
      const forks = `"${process.execPath}" -e 'setInterval(() => {}, 1000)' > ../by-hand 2>&1 & echo $!`;
      const id = Number(execFileSync("sh", ["-c", forks], { cwd, env, encoding: "utf8" }));
      onTestFinished(() => {
        // It may have been stopped by then.
        if (existsSync(`/proc/${id}`)) process.kill(id, "SIGKILL");
      });
      return id;
    },
    running: async () => (await listMarked(mark)).length,
    has: (name) => existsSync(path.join(agent.dir, name)),
    read: (name) => readFileSync(path.join(agent.dir, name), "utf8"),
  };
}

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** Starts a rollback, and ends it by a signal while its stop command, which touches `../stopping`, waits for `../go`. */
export async function cutShort(agent: LiveAgent, signal: NodeJS.Signals): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, "rollback", "1.0.0"], {
    cwd: agent.dir,
    env: agent.env,
    stdio: "ignore",
  });
  const over = once(child, "exit");
  while (!existsSync(path.join(agent.dir, "../stopping"))) await pause(20);
  child.kill(signal);
  if (signal === "SIGKILL") agent.write("../go", "");
  await over;
}
