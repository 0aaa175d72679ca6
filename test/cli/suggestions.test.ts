import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const PROGRAM = fileURLToPath(new URL("../../bin/git-kai-version", import.meta.url));

/** What the program says on stderr of a line that it must refuse as wrong usage. */
function refusal(line: string): string {
  const { dir, env } = scratch();
  const run = spawnSync(process.execPath, [PROGRAM, ...line.split(" ")], { cwd: dir, env, encoding: "utf8" });
  expect(run.status, line).toBe(2);
  expect(run.stdout).toBe("");
  return run.stderr;
}

test("a mistyped word gets the one that was meant", () => {
  expect(refusal("lsit")).toContain("Hint: Did you mean `git kai-version list`?");
  expect(refusal("key lsit")).toContain("Hint: Did you mean `git kai-version key list`?");
  expect(refusal("help lsit")).toContain("Hint: Did you mean `git kai-version list`?");
  expect(refusal("create --tpye auto")).toContain("Unknown option '--tpye' (Did you mean --type?)");
  expect(refusal("create --type atuo")).toContain(
    "argument 'atuo' is invalid. Allowed choices are auto, manual, release. Did you mean auto?\n",
  );
  expect(refusal("completion bsah")).toContain("Hint: Did you mean bash?");
});

test("a word that is close to none gets the list", () => {
  expect(refusal("banana")).toContain("Hint: `git kai-version help` lists the commands there are.");
  expect(refusal("key banana")).toContain("Hint: `git kai-version key` lists the commands there are.");
  expect(refusal("create --type banana")).toMatch(/Allowed choices are auto, manual, release\.\n/);
});

test("help explains the command that it is asked for", () => {
  const { dir, env } = scratch();
  const said = (...args: string[]) => {
    const run = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: dir, env, encoding: "utf8" });
    expect(run.status, args.join(" ")).toBe(0);
    return run.stdout;
  };
  expect(said("help", "key", "list")).toBe(said("key", "list", "--help"));
  expect(said("help", "create")).toContain("--include-changes");
  expect(said("help", "key")).toMatch(/^Usage: git kai-version key <command>\n/);
  for (const command of [[], ["create"], ["key"], ["key", "list"]]) {
    expect(said(...command, "--help")).toMatch(/^Usage: git kai-version /);
  }
  expect(said("help")).toContain("   compare ");
});
