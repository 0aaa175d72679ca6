import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ignoreRules } from "../../src/agent/ignore-rules.js";
import { scratch } from "../support/scratch.js";

const steps = [
  "a",
  "b",
  "ab",
  "a.b",
  "*",
  "**",
  "a*",
  "*b",
  "?",
  "[ab]",
  "a?",
  "[!a]",
  "*.b",
  "a*b",
  "\\a",
  "[a-b]b",
  "c",
];
const rule = fc
  .tuple(
    fc.constantFrom("", "!", "/", "!/"),
    fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 4 }),
    fc.constantFrom("", "/"),
  )
  .map(([before, names, after]) => `${before}${names.join("/")}${after}`);
const names = fc.constantFrom("a", "b", "ab", "a.b", "c", "bb", "acb");
const file = fc.array(names, { minLength: 1, maxLength: 5 }).map((each) => each.join("/"));

test("rules say of paths what git says", () => {
  const { dir, env } = scratch();
  const git = (args: readonly string[], input = "") =>
    spawnSync("git", args, { cwd: dir, env, input, encoding: "utf8" });
  git(["init", "--quiet"]);
  const sets = fc.tuple(
    fc.array(rule, { minLength: 1, maxLength: 4 }),
    fc.uniqueArray(file, { minLength: 30, maxLength: 60 }),
  );
  fc.assert(
    fc.property(sets, ([rules, paths]) => {
      writeFileSync(path.join(dir, ".git", "info", "exclude"), `${rules.join("\n")}\n`);
      const { stdout } = git(["check-ignore", "--no-index", "--stdin"], paths.join("\n"));
      const said = ignoreRules(rules);
      expect(paths.filter((each) => said(each) === "ignored")).toEqual(stdout.split("\n").filter(Boolean));
    }),
    { numRuns: 60 },
  );
});
