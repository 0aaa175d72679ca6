import { KaiError } from "../error.js";

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_DURATION = 100 * 365 * 86_400_000;

const BYTES: Readonly<Record<string, number>> = {
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};

const BITS_PER_SECOND: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9 };

export const DURATION_FORM = "a time such as 30s, 5m, 1h30m, 30d";
export const SIZE_FORM = "a size such as 500M, 2GB, 4Gi";
export const RATE_FORM = "a rate such as 100Mbps";

/** Milliseconds of `30s`, `5m`, `1h30m`, `250ms`, `30d`; more than none. Throws E122. */
export function parseDuration(text: string): number {
  const total = findDuration(text);
  if (total === undefined) throw notA(text, DURATION_FORM);
  return total;
}

/** Bytes of `500M` or `2GB` (powers of 1000) and `4Gi` or `4GiB` (powers of 1024); more than none. Throws E122. */
export function parseSize(text: string): number {
  const size = findSize(text);
  if (size === undefined) throw notA(text, SIZE_FORM);
  return size;
}

/** Bits per second of `100Mbps` (powers of 1000); more than none. Throws E122. */
export function parseRate(text: string): number {
  const rate = findRate(text);
  if (rate === undefined) throw notA(text, RATE_FORM);
  return rate;
}

export function findDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d)){1,5}$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * (MILLISECONDS[unit ?? ""] ?? Number.NaN);
  }
  const whole = Math.round(total);
  return whole >= 1 && whole <= LONGEST_DURATION ? whole : undefined;
}

export function findSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?(?:([kmgt]i?)?b?)$/i.exec(text);
  return match ? positive(Number(match[1]) * (BYTES[(match[2] ?? "b").toLowerCase()] ?? Number.NaN)) : undefined;
}

export function findRate(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?) ?([kmg]?)(?:bps|bit|bit\/s)$/i.exec(text);
  return match
    ? positive(Number(match[1]) * (BITS_PER_SECOND[(match[2] ?? "").toLowerCase()] ?? Number.NaN))
    : undefined;
}

const positive = (value: number): number | undefined => {
  const whole = Math.round(value);
  return whole >= 1 && Number.isSafeInteger(whole) ? whole : undefined;
};

const notA = (text: string, form: string): KaiError =>
  new KaiError("E122", `${JSON.stringify(text)} is not ${form}.`, {
    hint: `A number and its unit, without a sign${form === DURATION_FORM ? ", up to 36500d" : ""}.`,
  });
