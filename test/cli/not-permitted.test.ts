import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { failureOf } from "../../src/cli/failure.js";
import { gitFailure } from "../../src/git/run-git.js";
import { scratch } from "../support/scratch.js";

/** A user whom nobody knows; what the test itself made is somebody else's to them. */
const STRANGER = 54_320;

const refusal = (file: string) => failureOf(Object.assign(new Error("no"), { code: "EACCES", path: file }), {});

test("who a place belongs to is said to whom it keeps out, and how it is had back", () => {
  const { dir } = scratch();
  chmodSync(path.dirname(dir), 0o755);
  chmodSync(dir, 0o755);
  const folder = path.join(dir, "a'b/.git/kai/snapshots");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "there"), "");
  const [mine, gone] = [refusal(path.join(folder, "there")), refusal(path.join(folder, "lock"))];
  for (const { hint } of [mine, gone]) expect(hint).toMatch(/^Nothing was half-written: mend the disk/);
  const others = path.join(dir, "other/.git/kai");
  mkdirSync(others, { recursive: true });
  if (process.geteuid?.() === 0) chownSync(others, STRANGER + 1, STRANGER + 1);
  // Whoever is no root is kept out by what is root's.
  const file = process.geteuid?.() === 0 ? path.join(folder, "lock") : "/etc/.git/lock";
  if (process.geteuid?.() === 0) {
    process.seteuid?.(STRANGER);
    onTestFinished(() => process.seteuid?.(0));
  }
  const { code, message, hint } = refusal(file);
  expect({ code, message }).toEqual({ code: "E118", message: `Permission denied. (${file})` });
  expect(refusal("/etc/none/lock").hint).toBe(
    "Nothing was half-written. /etc is root's: take another place, or have its permissions changed.",
  );
  if (process.getuid?.() === 0) expect(refusal(path.join(others, "lock")).hint).not.toContain("chown");
  expect(refusal(file.replace(/\.git\/.*/, ".git")).hint).toContain("/.git'` gives it back");
  const git = file.replace(/\.git\/.*/, ".git").replace("'", "'\\''");
  expect(hint).toContain(
    `is root's. Where a command that ran with sudo left it, \`sudo chown -R "$(id -un)" '${git}'\``,
  );
});

test("what git may not write is looked for by a command that lists it", () => {
  const words = "error: insufficient permission for adding an object to repository database .git/objects\n";
  const failed = (stderr: string) =>
    gitFailure(["commit"], { stderr: Buffer.from(stderr), exitCode: 128, signal: undefined });
  expect(failed(words)).toMatchObject({
    code: "E118",
    hint: expect.stringContaining('`find "$(git rev-parse --git-common-dir)" ! -user "$(id -un)"`'),
  });
  expect(failed("fatal: Input/output error\n").hint).not.toContain("find");
});
