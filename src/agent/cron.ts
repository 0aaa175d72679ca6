const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] as const;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

interface CronField {
  readonly from: number;
  readonly to: number;
  /** Names that stand for numbers from `from` on. */
  readonly names?: readonly string[];
  /** The largest step: as many as there are values. */
  readonly steps: number;
}

/** Minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). */
const FIELDS: readonly CronField[] = [
  { from: 0, to: 59, steps: 60 },
  { from: 0, to: 23, steps: 24 },
  { from: 1, to: 31, steps: 31 },
  { from: 1, to: 12, names: MONTHS, steps: 12 },
  { from: 0, to: 7, names: DAYS, steps: 7 },
];

/** Whether a text is five fields as in crontab(5): lists of `*`, numbers, names and ranges, each with a step behind `/`. */
export function isCron(text: string): boolean {
  const fields = text.split(/ +/);
  return fields.length === FIELDS.length && FIELDS.every((field, index) => isField(fields[index] ?? "", field));
}

const isField = (text: string, field: CronField): boolean => text.split(",").every((part) => isPart(part, field));

function isPart(text: string, field: CronField): boolean {
  const [, first = "", last, step] = /^(\*|[\da-z]+)(?:-([\da-z]+))?(?:\/(\d{1,2}))?$/i.exec(text) ?? [];
  if (step !== undefined && (Number(step) === 0 || Number(step) > field.steps)) return false;
  if (first === "*") return last === undefined;
  const [from, to] = [numberOf(first, field), last === undefined ? undefined : numberOf(last, field)];
  if (from === undefined || (last !== undefined && to === undefined)) return false;
  return to === undefined ? step === undefined : from <= to;
}

function numberOf(text: string, { from, to, names = [] }: CronField): number | undefined {
  const name = names.indexOf(text.toLowerCase());
  const number = /^\d{1,2}$/.test(text) ? Number(text) : name < 0 ? undefined : from + name;
  return number !== undefined && number >= from && number <= to ? number : undefined;
}
