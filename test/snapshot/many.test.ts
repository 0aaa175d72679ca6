import { expect, test } from "vitest";
import { type SnapshotAgent, snapshotAgent } from "./snapshot-agent.js";

const TESTS = [{ name: "answers", run: "python3 logic.py", expect: { stdout: "good" } }];

/** Versions 1.1.0 to 1.1.4, of which the last two answer badly. */
async function broken(): Promise<SnapshotAgent> {
  const agent = await snapshotAgent({ tests: TESTS }, { "logic.py": "print('good 0')\n" });
  for (const number of [1, 2, 3, 4]) {
    agent.write("logic.py", `print('${number > 2 ? "bad" : "good"} ${number}')\n`);
    agent.commit(`fix: answer ${number}`);
    await agent.kai("create");
  }
  return agent;
}

const versionsOf = ({ versions }: { versions: { version: string; passed: boolean }[] }) =>
  versions.map(({ version, passed }) => [version, passed]);

test("a range is tested side by side, and the first bad one is named; bisected, with fewer runs", async () => {
  const agent = await broken();
  const ran = await agent.kai("snapshot", "test", "1.1.0..1.1.4", "--json");
  expect(ran.exit).toBe(1);
  expect(versionsOf(ran.json())).toEqual([
    ["1.1.0", true],
    ["1.1.1", true],
    ["1.1.2", true],
    ["1.1.3", false],
    ["1.1.4", false],
  ]);
  expect(ran.json()).toMatchObject({ passed: false, firstBad: "1.1.3", lastGood: "1.1.2" });
  const bisected = (await agent.kai("snapshot", "test", "1.1.0..1.1.4", "--bisect", "--json")).json();
  expect(bisected).toMatchObject({ firstBad: "1.1.3", lastGood: "1.1.2" });
  expect(versionsOf(bisected)).toHaveLength(4);
  expect(await agent.refused("test", "1.1.4..1.1.0")).toMatchObject({ code: "E122" });
  expect(await agent.refused("test", "1.1.0..")).toMatchObject({ code: "E122" });
  expect(await agent.refused("test", "1.1.0", "--bisect")).toMatchObject({ code: "E122" });
});
