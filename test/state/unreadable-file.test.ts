import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { copyStateFile } from "../../src/state/copy-state-file.js";

import { scratch } from "../support/scratch.js";

/** A user whom nobody knows, where the test runs as root, who may read everything. */
const NOBODY = 65_533;

test("a state file that may not be read is named as the agent knows it", async () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "--quiet"], { cwd: dir, env });
  const { workTree = "", ...repository } = await openRepository(dir, env);
  writeFileSync(path.join(dir, "memory.json"), "{}", { mode: 0 });
  const aside = path.join(dir, "aside");
  mkdirSync(aside);
  for (const folder of [path.dirname(dir), dir]) chmodSync(folder, 0o755);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    const copying = copyStateFile({ ...repository, workTree }, "memory.json", "0", aside, "copy bytes");
    await expect(copying).rejects.toMatchObject({
      code: "E123",
      message: "The state file memory.json cannot be read: you lack the right.",
      data: { paths: ["memory.json"] },
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
