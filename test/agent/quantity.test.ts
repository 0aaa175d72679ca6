import { expect, test } from "vitest";
import { parseDuration, parseRate, parseSize } from "../../src/agent/quantity.js";

test.each([
  ["30s", 30_000],
  ["5m", 300_000],
  ["24h", 86_400_000],
  ["30d", 2_592_000_000],
  ["250ms", 250],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
])("%s is %d milliseconds", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  ["500M", 500_000_000],
  ["2GB", 2_000_000_000],
  ["4Gi", 4_294_967_296],
  ["4GiB", 4_294_967_296],
  ["0.5Ki", 512],
  ["1024", 1024],
  ["10 MB", 10_000_000],
  ["7b", 7],
])("%s is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ["100Mbps", 100_000_000],
  ["1Gbit", 1_000_000_000],
  ["56kbps", 56_000],
  ["9600bps", 9600],
])("%s is %d bits per second", (text, bits) => {
  expect(parseRate(text)).toBe(bits);
});

test.each(["", "5", "-5m", "0s", "5 minutes", "m", "1e3s", "5m\n", "9".repeat(12).concat("d"), "NaNs"])(
  "%j is no time",
  (text) => {
    expect(() => parseDuration(text)).toThrowError("is not a time such as 30s");
  },
);

test.each(["", "-1", "0", "4 apples", "4Gibit", "1e9", "99999999999999Ti", "Gi"])("%j is no size", (text) => {
  expect(() => parseSize(text)).toThrowError("is not a size such as 500M");
});

test.each(["", "100", "100MB", "0bps", "fast"])("%j is no rate", (text) => {
  expect(() => parseRate(text)).toThrowError("is not a rate such as 100Mbps");
});
