import { KaiError } from "../error.js";
import type { Repository } from "./repository.js";
import { runGit } from "./run-git.js";

/** A moment as git's users write it: `2026-01-31`, `2 weeks ago`, `yesterday`. E122 for what git takes for no date. */
export async function parseDate(repository: Repository, text: string): Promise<Date> {
  const out = (await runGit(repository, ["rev-parse", `--since=${text}`])).toString().trim();
  const seconds = /^--max-age=(?<seconds>-?\d+)$/.exec(out)?.groups?.["seconds"];
  // git falls back to now for words that it does not know; a date has a digit or one of its words.
  const looksLikeOne = /\d|\b(now|today|yesterday|noon|midnight|tea|never|last|ago|mon|tue|wed|thu|fri|sat|sun)/i.test(
    text,
  );
  if (seconds !== undefined && looksLikeOne && isOnCalendar(text)) return new Date(Number(seconds) * 1000);
  throw new KaiError("E122", `'${text}' is no date.`, { hint: "Write 2026-01-31, '2 weeks ago' or yesterday." });
}

/** git makes something of a month 13 and of 25 o'clock, too. */
function isOnCalendar(text: string): boolean {
  const dates = [...text.matchAll(/(?<!\d)(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)/g)];
  const times = [...text.matchAll(/(?<![\d:+-])(\d{1,2}):(\d{2})(?::(\d{2}))?(?![\d:])/g)];
  const isDay = ([, year, , month, day]: RegExpMatchArray) => {
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
    return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  };
  const isTime = ([, hour, minute, second = "0"]: RegExpMatchArray) =>
    Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60;
  return dates.every(isDay) && times.every(isTime);
}
