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

test("each service runs its command, and each timer looks from the end of one run to the next", () => {
  for (const [name, command] of [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: systemd replaces it
    ["kai-rollback", "rollback --when ${CONDITION} --json"],
    ["kai-trigger", "trigger run --json"],
  ]) {
    expect(read(`examples/${name}@.service`)).toContain(`ExecStart=/usr/bin/env git kai-version ${command}\n`);
    expect(read(`examples/${name}@.timer`)).toMatch(/^OnUnitInactiveSec=\d+min$/m);
  }
});
