import { expect, test } from "vitest";
import { isCron } from "../../src/agent/cron.js";

test.each([
  "0 3 * * *",
  "*/15 0-6/2,22 1,31 jan,DEC mon-fri",
  "59 23 31 12 7",
  "*/60 */24 */31 */12 */7",
  "0  0 1 1 0",
])("%s is a schedule", (text) => {
  expect(isCron(text)).toBe(true);
});

test.each([
  "99 3 * * *",
  "0 24 * * *",
  "0 0 0 * *",
  "0 0 32 * *",
  "0 0 * 13 *",
  "0 0 * * 8",
  "0 0 * * *-5",
  "5-1 0 * * *",
  "*/0 0 * * *",
  "*/61 0 * * *",
  "0 */25 * * *",
  "0 0 * * */8",
  "0 0-5/100 * * *",
  "5/2 0 * * *",
  "0 0 mon * *",
  "0 0 * foo *",
  "0,,5 0 * * *",
  "0 3 * *",
  "0 3 * * * *",
  "",
])("%j is none", (text) => {
  expect(isCron(text)).toBe(false);
});
