import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));
/** More than a pipe holds. */
const LONG = `"${process.execPath}" "${PROGRAM}" config schema`;

const bash = (script: string) => {
  const { dir } = scratch();
  const { status, stdout, stderr } = spawnSync("bash", ["-c", `set -o pipefail; ${script}`], {
    cwd: dir,
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, stdout, stderr };
};

test("a reader that has read enough ends the command well", () => {
  expect(bash(`${LONG} | head -c 1`)).toEqual({ status: 0, stdout: "{", stderr: "" });
});

test("what cannot be written is said, and nobody takes it for a success", () => {
  const { status, stderr } = bash(`${LONG} > /dev/full`);
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^Error E118: .*ENOSPC/) });
});

test("an error is told by its status where nobody reads what it says", () => {
  expect(bash(`"${process.execPath}" "${PROGRAM}" show 2>/dev/full`)).toMatchObject({ status: 2, stdout: "" });
});

test("all of it comes through a pipe at which nobody waits, and whose reader is slow", () => {
  const whole = execFileSync(process.execPath, [PROGRAM, "config", "schema"], { encoding: "utf8" });
  // Node makes the pipe of its own stdout so, for all that have it.
  const other = `"${process.execPath}" -e 'process.stdout.on("error", () => {}); setTimeout(() => {}, 2000)'`;
  const script = `{ ${other} & sleep 0.5; ${LONG}; } | { sleep 1; cat; }`;
  expect(bash(script)).toEqual({ status: 0, stdout: whole, stderr: "" });
});
