import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { runTraced } from "../operation/run-traced.js";
import { placeAt, refsOf, told } from "../scenarios/place.js";
import { scratch } from "../support/scratch.js";

test("a pin that a full disk refuses: init says that the log is founded, and run again it pins that log", async () => {
  const { dir, env } = scratch();
  const place = placeAt(path.join(dir, "agent"), env);
  execFileSync("git", ["init", "-q", "-b", "main", place.dir], { env });
  place.write("logic.py", "print(1)\n");
  place.commit("feat: answer");
  const strike = { match: "rename\\S* \\S*/kai/trust.json$", blow: "ENOSPC" } as const;
  const ran = await runTraced({ dir: place.dir, env: place.env }, ["init", "--yes"], strike);
  expect([ran.exit, ran.stderr]).toEqual([1, expect.stringContaining("E118: The agent's log is founded, but its pin")]);
  expect(ran.stderr).toContain("`git kai-version init` again");
  const refs = refsOf(place);
  expect(refs).toContain("refs/kai/log");
  expect(await told(place, "init", "--yes")).toMatchObject({ outcome: "adopted", written: [] });
  expect(refsOf(place)).toBe(refs);
  expect(await told(place, "create", "--as", "1.0.0")).toMatchObject({ version: "1.0.0" });
});
