import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { removeFolder } from "../../src/podman/folders.js";
import { scratch } from "../support/scratch.js";

test("without Podman an ordinary user's folder goes all the same, whatever is read-only in it", async () => {
  const { dir, env } = scratch();
  const folder = path.join(dir, "sandbox");
  mkdirSync(path.join(folder, "versions", "v1.0.0"), { recursive: true });
  writeFileSync(path.join(folder, "versions", "v1.0.0", "file"), "", { mode: 0o444 });
  mkdirSync(path.join(folder, "closed"), { mode: 0o555 });
  await removeFolder(folder, true, { ...env, PATH: path.join(dir, "no-programs") });
  expect([existsSync(folder), readdirSync(dir)]).toEqual([false, []]);
});
