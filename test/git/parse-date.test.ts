import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { parseDate } from "../../src/git/parse-date.js";
import { openRepository } from "../../src/git/repository.js";
import { scratch } from "../support/scratch.js";

test("a date is one of the calendar", async () => {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "-q", dir], { env });
  const repository = await openRepository(dir, env);
  for (const text of ["2026-13-45", "2026-02-30", "2026/00/10", "2026-01-31 25:00", "2026-01-31T12:61:00Z", "soon"]) {
    await expect(parseDate(repository, text), text).rejects.toMatchObject({ code: "E122" });
  }
  const read = async (text: string) => (await parseDate(repository, text)).toISOString();
  expect(await read("2026-01-31 23:59:59 +0000")).toBe("2026-01-31T23:59:59.000Z");
  expect(await read("2028-02-29T00:00:00Z")).toBe("2028-02-29T00:00:00.000Z");
  expect(await read("2026-01-31T12:00:00+02:00")).toBe("2026-01-31T10:00:00.000Z");
  expect(await read("2026.01.31 12:00 +0000")).toBe("2026-01-31T12:00:00.000Z");
  for (const text of ["yesterday", "2 weeks ago", "2026-01-31"]) await read(text);
});
