import { readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { snapshotAgent } from "./snapshot-agent.js";

test("what is tested are the version's files, whatever became of those that are kept; what is not used is pruned", async () => {
  const agent = await snapshotAgent();
  const trees = path.join(agent.dir, ".git/kai/trees");
  const kept = () => readdirSync(trees).filter((name) => name !== ".lock");
  const printed = (await agent.made("run", "1.1.0", "--", "python3", "logic.py")).stdout;
  const [home = ""] = kept();
  writeFileSync(path.join(trees, home, "files/logic.py"), "print('changed behind git')\n");
  expect((await agent.made("run", "1.1.0", "--", "python3", "logic.py")).stdout).toBe(printed);
  expect(kept()).toHaveLength(2);

  expect((await agent.made("prune")).orphans).toEqual([]);
  const old = new Date(Date.now() - 48 * 3_600_000);
  for (const name of kept()) utimesSync(path.join(trees, name, "fingerprint"), old, old);
  const orphans = [1, 2].map(() => `the files of tree ${home.slice(0, 10)}`);
  expect(await agent.made("prune", "--dry-run")).toMatchObject({ orphans });
  expect(kept()).toHaveLength(2);
  expect(await agent.made("prune")).toMatchObject({ orphans });
  expect(kept()).toEqual([]);
});
