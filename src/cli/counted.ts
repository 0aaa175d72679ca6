/** Reads a whole number that is not negative, for `--limit` and the like. */
export function counted(raw: string): number {
  if (/^\d{1,9}$/.test(raw)) return Number(raw);
  throw new Error(`'${raw}' is no whole number.`);
}
