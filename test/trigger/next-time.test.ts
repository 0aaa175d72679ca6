import fc from "fast-check";
import { beforeEach, expect, test, vi } from "vitest";
import { isCron } from "../../src/agent/cron.js";
import { nextTime } from "../../src/trigger/next-time.js";

const MINUTE = 60_000;
const NAMES = [
  [],
  [],
  [],
  ["", ..."jan feb mar apr may jun jul aug sep oct nov dec".split(" ")],
  "sun mon tue wed thu fri sat".split(" "),
];

/** The values that a field means. */
function valuesOf(field: string, index: number): Set<number> {
  const [from = 0, to = 0] =
    [
      [0, 59],
      [0, 23],
      [1, 31],
      [1, 12],
      [0, 7],
    ][index] ?? [];
  const values = new Set<number>();
  for (const part of field.toLowerCase().split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [first, last = first] = range.split("-").map((word) => {
      const named = NAMES[index]?.indexOf(word) ?? -1;
      return named >= 0 ? named : Number(word);
    });
    const [low = 0, high = 0] = range === "*" ? [from, to] : [first, last];
    for (let value = low; value <= high; value += Number(step)) values.add(index === 4 ? value % 7 : value);
  }
  return values;
}

/** Whether a minute is one of the expression; where both days are given, either is enough. */
function matcher(expression: string): (at: Date) => boolean {
  const fields = expression.split(/ +/);
  const [minutes, hours, days, months, weekdays] = fields.map(valuesOf);
  const either = fields[2] !== "*" && fields[4] !== "*";
  return (at) => {
    const [day, weekday] = [days?.has(at.getDate()) ?? false, weekdays?.has(at.getDay()) ?? false];
    const dayFits = either ? day || weekday : day && weekday;
    return (
      dayFits &&
      [minutes?.has(at.getMinutes()), hours?.has(at.getHours()), months?.has(at.getMonth() + 1)].every(Boolean)
    );
  };
}

const field = (from: number, to: number, steps: number, names: readonly string[] = []) => {
  const value = fc.integer({ min: from, max: to });
  const step = fc.option(fc.integer({ min: 1, max: steps }), { nil: undefined });
  const behind = (text: string, by: number | undefined) => (by === undefined ? text : `${text}/${by}`);
  const part = fc.oneof(
    fc.constant("*"),
    value.map(String),
    step.map((by) => behind("*", by)),
    fc.tuple(value, value, step).map(([a, b, by]) => behind(`${Math.min(a, b)}-${Math.max(a, b)}`, by)),
    ...(names.length > 0 ? [fc.constantFrom(...names)] : []),
  );
  return fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => (parts.includes("*") ? "*" : parts.join(",")));
};

const EXPRESSION = fc
  .tuple(
    field(0, 59, 60),
    field(0, 23, 24),
    field(1, 31, 31),
    field(1, 12, 12, ["jan", "DEC"]),
    field(0, 7, 7, ["sun", "Fri"]),
  )
  .map((fields) => fields.join(" "));

const BEGIN = new Date("2026-03-02T09:00:00Z");

beforeEach(() => {
  vi.stubEnv("TZ", "UTC");
  return () => vi.unstubAllEnvs();
});

test("the next time of whatever kai.yaml takes is one that it names, and none is passed over", async () => {
  await fc.assert(
    fc.asyncProperty(EXPRESSION, fc.integer({ min: 0, max: 1000 * 1440 }), async (expression, minutes) => {
      expect(isCron(expression)).toBe(true);
      const after = new Date(BEGIN.getTime() + minutes * MINUTE);
      const next = await nextTime(expression, after);
      const fits = matcher(expression);
      if (next !== null) expect(fits(next), `${expression} at ${next}`).toBe(true);
      const end = Math.min(next?.getTime() ?? Number.POSITIVE_INFINITY, after.getTime() + 2 * 1440 * MINUTE);
      for (let at = after.getTime() + MINUTE; at < end; at += MINUTE) {
        if (fits(new Date(at))) expect.fail(`${expression} comes at ${new Date(at)}, before ${next}`);
      }
    }),
    { numRuns: 300 },
  );
});

test("a date that there is not never comes", async () => {
  expect(await nextTime("0 0 31 2 *", BEGIN)).toBeNull();
});

const timesFrom = async (expression: string, after: string, count: number): Promise<string[]> => {
  const times: string[] = [];
  for (let at: Date | null = new Date(after); at && times.length < count; ) {
    at = await nextTime(expression, at);
    if (at) times.push(at.toISOString().slice(0, 16));
  }
  return times;
};

test("it is the clock on the wall that counts: an hour that is left out or comes twice brings one time", async () => {
  vi.stubEnv("TZ", "Europe/Berlin");
  expect(await timesFrom("30 2 * * *", "2026-03-27T12:00:00Z", 3)).toEqual([
    "2026-03-28T01:30",
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
  expect(await timesFrom("30 2 * * *", "2026-10-24T12:00:00Z", 2)).toEqual(["2026-10-25T00:30", "2026-10-26T01:30"]);
});
