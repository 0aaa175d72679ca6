import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { METRICS, parseCondition } from "../../src/rollback/condition.js";

const read = (file: string): string => readFileSync(new URL(`../../docs/${file}`, import.meta.url), "utf8");

test("the page's table has every figure, and no other", () => {
  const rows = [...read("unattended.md").matchAll(/^\| `([a-z_]+)` +\|/gm)].map(([, name]) => name);
  expect(rows).toEqual(Object.keys(METRICS));
});

test("every condition that is shown can be read", () => {
  const shown = ["unattended.md", "examples/rollback-when.yml"].flatMap((file) =>
    [...read(file).matchAll(/'((?:[a-z_]+ [<>=!]+ )[^']+)'|CONDITION=([^'\n]+)'|default: (.+==.+)$/gm)].map(
      ([, quoted, set, fallback]) => (quoted ?? set ?? fallback ?? "").replaceAll("\\%", "%"),
    ),
  );
  expect(shown.length).toBeGreaterThan(4);
  for (const condition of shown) expect(parseCondition(condition).text).toBe(condition);
});

test("the workflow's scripts are sound, and no input is pasted into them", () => {
  const { jobs } = parse(read("examples/rollback-when.yml"));
  const scripts: string[] = jobs.rollback.steps.map(({ run }: { run: string }) => run);
  expect(scripts.length).toBe(3);
  for (const script of scripts) {
    execFileSync("sh", ["-n"], { input: script });
    expect(script).not.toContain("${{");
  }
});
