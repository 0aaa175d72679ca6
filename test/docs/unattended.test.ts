import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { METRICS, parseCondition } from "../../src/rollback/condition.js";
import { kaiYaml, liveAgent } from "../rollback/live-agent.js";

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
  expect(scripts.length).toBe(4);
  for (const script of scripts) {
    execFileSync("sh", ["-n"], { input: script });
    expect(script).not.toContain("${{");
  }
});

test("the workflow pushes also a rollback that did not hold, and fails all the same", async () => {
  const { steps } = parse(read("examples/rollback-when.yml")).jobs.rollback;
  const [judge, push] = steps;
  expect(push.if).toBe("always() && steps.rollback.outputs.moved == 'true'");
  const agent = await liveAgent();
  await agent.version("1.0.0", { "kai.yaml": kaiYaml("health: {run: exit 9, retries: 0}") });
  await agent.version("1.1.0", { "kai.yaml": kaiYaml("trigger: {}") });
  agent.git("init", "-q", "--bare", "../shared.git");
  agent.git("remote", "add", "origin", "../shared.git");
  const temp = path.join(agent.dir, "..");
  const output = path.join(temp, "output");
  const env = {
    PATH: `${fileURLToPath(new URL("../../bin", import.meta.url))}:${process.env["PATH"]}`,
    AGENT_FOLDER: agent.dir,
    RUNNER_TEMP: temp,
    GITHUB_OUTPUT: output,
    CONDITION: "minutes_in_force >= 0",
    VERSION: "1.0.0",
  };
  const shell = (script: string, more = {}) =>
    agent.run("bash", ["-eo", "pipefail", "-c", script], { ...env, ...more });
  const judged = await shell(judge.run);
  expect([judged.exit, judged.json().error.code]).toEqual([1, "E127"]);
  expect(readFileSync(output, "utf8")).toBe("moved=true\n");
  await shell(push.run);
  expect(agent.git("ls-remote", "origin", "refs/kai/log")).toContain(agent.git("rev-parse", "refs/kai/log"));
  const idle = path.join(temp, "idle");
  const still = await shell(judge.run, { CONDITION: "minutes_in_force < 0", GITHUB_OUTPUT: idle });
  expect([still.exit, existsSync(idle)]).toEqual([0, false]);
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
