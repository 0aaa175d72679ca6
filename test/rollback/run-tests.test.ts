import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { runTests } from "../../src/rollback/run-tests.js";
import { scratch } from "../support/scratch.js";

function place(...scenarios: string[]) {
  const { dir, env } = scratch();
  const lines = scenarios.map((scenario) => `    - ${scenario}\n`).join("");
  const config = parseAgentConfig(`agent_id: ai.example.clerk\nsnapshot_isolation:\n  tests:\n${lines}`, "kai.yaml");
  const run = (...kinds: ("functionality" | "performance" | "integration")[]) =>
    runTests(config, kinds, { cwd: dir, env: { ...env, KAI_SIGNING_KEY: "secret" }, operation: "op" });
  return { dir, run };
}

test("the scenarios of the kinds that are asked for are run in the agent's folder, and judged", async () => {
  const { dir, run } = place(
    '{name: answers, run: "cat answer; echo noise >&2", expect: {stdout: "seven years"}}',
    '{name: refuses, run: "exit 3", expect: {exit_code: 3}}',
    '{name: wrong, run: "echo six years; echo seven years >&2; exit 1", expect: {stdout: "seven years"}}',
    '{name: speed, kind: performance, run: "true"}',
    '{name: whole, kind: integration, run: "true"}',
  );
  writeFileSync(path.join(dir, "answer"), "kept for seven years\n");
  const results = await run("functionality", "integration");
  expect(results.map(({ name, kind, ok, error }) => [name, kind, ok, error])).toEqual([
    ["answers", "functionality", true, null],
    ["refuses", "functionality", true, null],
    ["wrong", "functionality", false, 'Exit status 1, expected 0. stdout lacks "seven years"; it is "six years\\n".'],
    ["whole", "integration", true, null],
  ]);
  expect(results[0]?.output).toMatch(/kept for seven years\n/);
  expect(results[0]?.output).toMatch(/noise\n/);
  expect(await run()).toEqual([]);
});

test("time and memory are judged, and what is out of time or killed has failed", async () => {
  const eater = "python3 -c 'import time; x = bytearray(60 << 20); time.sleep(0.2)'";
  const { run } = place(
    `{name: eater, run: "sh -c \\"${eater}; true\\"", expect: {max_memory: 40Mi}}`,
    `{name: fed, run: "${eater}", expect: {max_memory: 400Mi}}`,
    '{name: slow, run: "sleep 0.1", expect: {max_duration: 20ms}}',
    '{name: hangs, run: "sleep 1000", timeout: 200ms}',
    '{name: killed, run: "kill -KILL $$"}',
    '{name: keyless, run: "test -z \\"$KAI_SIGNING_KEY\\""}',
  );
  const results = await run("functionality");
  expect(results.map(({ name, error }) => [name, error?.replace(/\d{2,}/g, "#") ?? null])).toEqual([
    ["eater", expect.stringMatching(/^It used [\d.#]+ MiB of memory, at most [\d.#]+ MiB were expected\.$/)],
    ["fed", null],
    ["slow", "It took # ms, at most # ms were expected."],
    ["hangs", "It was ended after # ms: out of time."],
    ["killed", "It was ended by SIGKILL."],
    ["keyless", null],
  ]);
});
