/** Shorter lines say little, and would be found everywhere. */
const SHORTEST = 8;
/** Of a longer value only so many lines are looked for beside the whole. */
const MOST_LINES = 500;
/** What opens and closes a key or certificate (RFC 7468) is no secret. */
const ARMOR = /^-----.*-----$/;

/** A value, and each line of one that has several: whoever prints it with something before each line tells it all the same. */
export function partsOf(secret: string): string[] {
  const lines = secret.split("\n").map((line) => line.trim());
  if (lines.length === 1) return [secret];
  const telling = lines.filter((line) => Buffer.byteLength(line) >= SHORTEST && !ARMOR.test(line));
  return [secret, ...new Set(telling.slice(0, MOST_LINES))];
}
