const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, "days"],
  [3_600_000, "hours"],
  [60_000, "minutes"],
];

/** A time for a sentence, such as `3 hours`: in the largest unit of which there are two. */
export function roughSpan(ms: number): string {
  const [length, unit] = UNITS.find(([each]) => ms >= 2 * each) ?? [1000, "seconds"];
  const count = Math.max(0, Math.floor(ms / length));
  return `${count} ${count === 1 ? unit.replace(/s$/, "") : unit}`;
}
