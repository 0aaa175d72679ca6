import { expect, test } from "vitest";
import { judgeCondition, type Metrics, parseCondition } from "../../src/rollback/condition.js";

const holds = (text: string, metrics: Metrics) => judgeCondition(parseCondition(text), metrics);

test.each([
  ["health == 0", { health: 0 }, true],
  ["health == 0", { health: 1 }, false],
  ["health==0 AND minutes_in_force>5", { health: 0, minutes_in_force: 5.1 }, true],
  ["health == 0 AND minutes_in_force > 5", { health: 0, minutes_in_force: 5 }, false],
  ["cpu_usage > 80% OR memory_usage > 90%", { cpu_usage: 80.1, memory_usage: 10 }, true],
  ["cpu_usage > 80 OR memory_usage >= 90", { cpu_usage: 80, memory_usage: 90 }, true],
  ["rollback_success_rate < 95%", { rollback_success_rate: 0.94 }, true],
  ["rollback_success_rate < 0.95", { rollback_success_rate: 0.95 }, false],
  ["  health_failures != 0  ", { health_failures: 2 }, true],
])("%s, with %j: %s", (text, metrics, expected) => {
  expect(holds(text, metrics)).toBe(expected);
});

test("AND binds before OR", () => {
  const text = "health == 0 OR cpu_usage > 90 AND memory_usage > 90";
  expect(holds(text, { health: 0, cpu_usage: 0, memory_usage: 0 })).toBe(true);
  expect(holds(text, { health: 1, cpu_usage: 95, memory_usage: 0 })).toBe(false);
  expect(holds(text, { health: 1, cpu_usage: 95, memory_usage: 95 })).toBe(true);
  expect(parseCondition(text).metrics).toEqual(["health", "cpu_usage", "memory_usage"]);
});

test("what could not be measured makes nothing hold", () => {
  for (const text of ["rollback_success_rate < 0.95", "rollback_success_rate != 1"]) {
    expect([holds(text, { rollback_success_rate: null }), holds(text, {})]).toEqual([false, false]);
  }
});

test.each([
  ["", "The condition cannot be read at its end: expected a metric."],
  ["health = 0", 'The condition cannot be read at character 8, "= 0": expected one of < <= > >= == !=.'],
  ["health == ill", 'The condition cannot be read at character 11, "ill": expected a number such as 5, 0.95 or 80%.'],
  [
    "health == 0 and health == 1",
    'The condition cannot be read at character 13, "and health == 1": expected AND or OR.',
  ],
  ["health == 0 AND", "The condition cannot be read at its end: expected a metric."],
  [
    "health == 1.2.3",
    'The condition cannot be read at character 11, "1.2.3": expected a number such as 5, 0.95 or 80%.',
  ],
  ["cpu_usage > -1", 'The condition cannot be read at character 13, "-1": expected a number such as 5, 0.95 or 80%.'],
  ["minutes_in_force > 5%", 'The condition cannot be read at character 20, "5%": minutes_in_force is no percentage.'],
  ["health == 0; rm -rf /", 'The condition cannot be read at character 12, "; rm -rf /": expected AND or OR.'],
])("%j is refused at its place", (text, message) => {
  expect(() => parseCondition(text)).toThrow(expect.objectContaining({ code: "E122", message }));
});

test("a metric that there is not is refused with those there are", () => {
  expect(() => parseCondition("health == 0 OR latency > 5")).toThrow(
    expect.objectContaining({
      code: "E122",
      message: 'The condition cannot be read at character 16, "latency > 5": there is no metric latency.',
      hint: "There are health, health_failures, cpu_usage, memory_usage, disk_usage, rollback_success_rate, minutes_in_force.",
    }),
  );
});
