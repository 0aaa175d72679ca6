import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { after } from "../../src/system/timer.js";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([1, 24, 25, 60, 36_500])("what is to be called after %i days is called then, and not before", (days) => {
  const call = vi.fn();
  after(days * DAY_MS, call);
  vi.advanceTimersByTime(days * DAY_MS - 1);
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledOnce();
});

test("what is taken back is never called, whichever timer is under way", () => {
  const call = vi.fn();
  const forget = after(60 * DAY_MS, call);
  vi.advanceTimersByTime(30 * DAY_MS);
  forget();
  vi.advanceTimersByTime(60 * DAY_MS);
  expect(call).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
