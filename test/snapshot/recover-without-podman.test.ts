import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { snapshotAgent } from "./snapshot-agent.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** A PATH with these programs alone. */
function pathWith(folder: string, names: readonly string[]): string {
  mkdirSync(folder);
  for (const name of names)
    symlinkSync(execFileSync("which", [name], { encoding: "utf8" }).trim(), path.join(folder, name));
  return folder;
}

test("recover says that it could not look through snapshots, and does all else", async () => {
  const agent = await snapshotAgent();
  await agent.made("create", "1.1.0");
  const PATH = pathWith(path.join(agent.dir, "..", "programs"), ["git", "sh", "gpg", "flock"]);
  const { exit, stderr, stdout } = await agent.run(process.execPath, [PROGRAM, "recover"], { PATH });
  expect({ exit, stdout: stdout.trim() }).toEqual({ exit: 0, stdout: "Nothing was interrupted." });
  expect(stderr).toMatch(/^Warning: Snapshots were not looked through: .*podman/);
});
