import { expect, test } from "vitest";
import { scenarioTime } from "../../src/snapshot/scenario-time.js";

test("a scenario gets its own time, and no more than the caller gives", () => {
  expect(scenarioTime("1m", undefined)).toBe("1m");
  expect(scenarioTime(null, "30s")).toBe("30s");
  expect(scenarioTime("1m", "30s")).toBe("30s");
  expect(scenarioTime("1m", "24h")).toBe("1m");
  expect(scenarioTime(null, undefined)).toBe(undefined);
  expect(() => scenarioTime("1m", "soon")).toThrow(expect.objectContaining({ code: "E122" }));
});
