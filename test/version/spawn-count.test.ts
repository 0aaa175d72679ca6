import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { addVersions } from "../../bench/fixtures/add-versions.js";
import { foundAgent } from "../../bench/fixtures/found-agent.js";
import { writeTextFiles } from "../../bench/fixtures/write-files.js";
import { countGitProcesses } from "../../bench/git-processes.js";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

const COMMANDS = [
  ["create", "-m", "one more"],
  ["list", "--json"],
  ["verify", "--all"],
  ["verify", "--all", "--deep"],
  ["rollback", "1.0.0", "--force"],
  ["undo"],
  ["promote", "1.0.0", "production"],
];

/** How many git processes each command takes in an agent of that size. */
async function countsOf(shape: { files: number; versions: number }): Promise<Record<string, number>> {
  const { dir, env } = scratch();
  const cwd = path.join(dir, "agent");
  mkdirSync(cwd);
  const run = (file: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): string =>
    execFileSync(file, [...args], { cwd, env: { ...env, ...more }, encoding: "utf8", stdio: "pipe" });
  writeTextFiles(cwd, shape.files, "first");
  await foundAgent({ env, run: (args, more) => run("git", args, more) }, cwd);
  await addVersions(cwd, env, shape.versions);
  run("git", ["gc", "--quiet"]);
  const counts: Record<string, number> = {};
  for (const command of COMMANDS) {
    // What is undone must be what was done last.
    if (command[0] !== "undo") {
      appendFileSync(path.join(cwd, "src", "part-0", "module-0.py"), "# changed\n");
      run("git", ["commit", "--quiet", "--all", "-m", "fix: change one module"]);
    }
    counts[command.join(" ")] = countGitProcesses((trace) => run(process.execPath, [PROGRAM, ...command], trace));
  }
  return counts;
}

test("commands start as many git processes for 10 files and 1 version as for 3,000 files or 300 versions", async () => {
  const small = await countsOf({ files: 10, versions: 1 });
  expect(small["create -m one more"]).toBeGreaterThan(5);
  expect(await countsOf({ files: 3000, versions: 1 })).toEqual(small);
  expect(await countsOf({ files: 10, versions: 300 })).toEqual(small);
});
