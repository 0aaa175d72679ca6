/** The first time of a cron expression behind a moment, by the clock of this machine's time zone; null where there is none. */
export async function nextTime(expression: string, after: Date): Promise<Date | null> {
  const { Cron } = await import("croner");
  return new Cron(expression, { mode: "5-part" }).nextRun(after);
}
