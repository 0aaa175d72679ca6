import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished } from "vitest";
import { endMarked, listMarked } from "../../src/system/marked-processes.js";
import { agentMark } from "../../src/version/lifecycle-commands.js";
import { entryAt } from "../operation/observe.js";
import { type Running, runningAgent } from "./running-agent.js";

/** An agent that runs in the working tree as well as in its deployment, and ends where it is asked to. */
export const CONFIG = `agent_id: ai.example.clerk
version_management: {artifacts: {state: {include: [state.json]}}}
deploy: {root: ../deployed, keep: 3}
lifecycle:
  start: {run: exec ./run.sh, timeout: 20s}
  health: {run: 'test -e "$PLACES/$(basename "$PWD").well"', timeout: 5s, retries: 6}
  stop: {run: 'echo "$(basename "$PWD") is asked" >> "$EVENTS"; touch "$PLACES/$(basename "$PWD").stop"', timeout: 10s}
`;

/** In the working tree it writes its state all the time. */
export const RUN = `#!/bin/sh
here="$PLACES/$(basename "$PWD")"
rm -f "$here.stop"
echo "$(basename "$PWD") starts" >> "$EVENTS"
trap 'echo "$(basename "$PWD") is ended" >> "$EVENTS"; rm -f "$here.well"; exit 0' TERM
touch "$here.well"
until test -e "$here.stop"; do
  if test -e .git; then echo '"live"' > state.json; fi
  sleep 0.02
done
rm -f "$here.well"
echo "$(basename "$PWD") stops" >> "$EVENTS"
`;

export interface TwoPlaces extends Running {
  /** The names of the folders in which it runs. */
  places(): Promise<string[]>;
  /** What was told since the last time that somebody asked. */
  news(): string[];
  /** The processes of the one in the working tree that no other of them started. */
  here(): Promise<number[]>;
}

/** 1.0.0 and 1.1.0, of which the former is in force, and runs in the working tree as a rollback has started it. */
export async function twoPlaces(files: Readonly<Record<string, string>> = {}): Promise<TwoPlaces> {
  const running = await runningAgent();
  const { agent, root, version, versionsThatRun, events } = running;
  const mark = agentMark(entryAt(agent, "refs/kai/log").repo, agent.dir);
  onTestFinished(async () => {
    await endMarked(mark, 0);
  });
  mkdirSync(root);
  Object.assign(agent.env, { PLACES: root, EVENTS: path.join(root, "events") });
  agent.write(".gitignore", "state.json\n");
  agent.write("state.json", '"captured"\n');
  await version("1.0.0", { "kai.yaml": CONFIG, "run.sh": RUN, ...files });
  await version("1.1.0", { "logic.py": "new = 1\n" });
  const back = await agent.kai("rollback", "1.0.0");
  expect([back.exit, back.stderr]).toEqual([0, ""]);
  const here = async () => {
    const marked = await listMarked(mark);
    return marked.filter(({ parent }) => !marked.some(({ id }) => id === parent)).map(({ id }) => id);
  };
  let told = events().length;
  return {
    ...running,
    here,
    async places() {
      const deployed = (await versionsThatRun()).map((number) => `v${number}`);
      return (await here()).length > 0 ? [path.basename(agent.dir), ...deployed] : deployed;
    },
    news() {
      const lines = readFileSync(path.join(root, "events"), "utf8").trimEnd().split("\n");
      const fresh = lines.slice(told);
      told = lines.length;
      return fresh;
    },
  };
}
