import { expect, test } from "vitest";
import { formatDuration } from "../../src/cli/format-time.js";

test.each([
  [0, "0 ms"],
  [240.4, "240 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [1430, "1.4 s"],
  [59_940, "59.9 s"],
  [59_960, "1 min"],
  [120_000, "2 min"],
  [125_300, "2 min 5 s"],
  [179_700, "3 min"],
  [5_400_000, "90 min"],
])("%d ms reads %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
