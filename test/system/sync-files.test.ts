import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "vitest";
import { syncFiles } from "../../src/system/sync-files.js";
import { scratch } from "../support/scratch.js";

test("files are synced by the program, and one by one where there is none or another", async () => {
  const { dir, env } = scratch();
  mkdirSync(path.join(dir, "some/folder"), { recursive: true });
  writeFileSync(path.join(dir, "some/folder/file"), "text");
  await syncFiles(path.join(dir, "some"), env);
  const bin = path.join(dir, "bin");
  mkdirSync(bin);
  await syncFiles(path.join(dir, "some"), { ...env, PATH: bin });
  writeFileSync(path.join(bin, "sync"), "#!/bin/sh\nexit 1\n");
  chmodSync(path.join(bin, "sync"), 0o755);
  await syncFiles(path.join(dir, "some"), { ...env, PATH: bin });
});
