import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openRepository } from "../../src/git/repository.js";
import { compareWithEarlier, type TestPlace } from "../../src/snapshot/testing/earlier-results.js";
import { parseNumber } from "../../src/version/number.js";
import { scratch } from "../support/scratch.js";

const version = (number: string) => ({ tagId: `tag of ${number}`, number: parseNumber(number) });

async function place() {
  const { dir, env } = scratch();
  execFileSync("git", ["init", "--quiet"], { cwd: dir, env });
  const repository = await openRepository(dir, env);
  const file = path.join(dir, ".git/kai/cache/test-results.json");
  mkdirSync(path.dirname(file), { recursive: true });
  const open = (number: string | null, before: readonly string[] = [], where: TestPlace = "agent") =>
    compareWithEarlier(repository, {
      place: where,
      version: number === null ? null : version(number).tagId,
      before: before.map(version),
    });
  const keep = async (number: string, durationMs: number, peakMemory: number | null = null, where?: TestPlace) =>
    (await open(number, [], where)).keep([{ name: "speed", durationMs, peakMemory }]);
  return { file, open, keep };
}

test("the nearest version before with a result of the very test and place is what is compared with", async () => {
  const { open, keep } = await place();
  await keep("1.0.0", 10, 7);
  await keep("1.1.0", 20);
  await keep("1.2.0", 30, null, "sandbox");
  const { find } = await open("1.3.0", ["1.2.0", "1.1.0", "1.0.0"]);
  expect(find("speed")).toEqual({ version: "1.1.0", durationMs: 20, peakMemory: null });
  expect(find("other")).toBeUndefined();
  expect((await open("1.3.0", ["1.0.0"])).find("speed")).toEqual({ version: "1.0.0", durationMs: 10, peakMemory: 7 });
  expect((await open("1.3.0", ["1.2.0"])).find("speed")).toBeUndefined();
});

test("of several results of a version the median of the newest counts", async () => {
  const { open, keep } = await place();
  for (const [durationMs, peakMemory] of [
    [900, 1],
    [10, 5],
    [500, null],
    [12, 9],
    [11, 7],
    [13, null],
  ] as const) {
    await keep("1.0.0", durationMs, peakMemory);
  }
  const { find } = await open("1.1.0", ["1.0.0"]);
  expect(find("speed")).toEqual({ version: "1.0.0", durationMs: 12, peakMemory: 7 });
});

test("a file that is damaged has no results and is written anew, and what was measured of no version is not kept", async () => {
  const { file, open, keep } = await place();
  for (const damaged of ["", "[]", '{"agent":{"speed":{"tag of 1.0.0":[{"durationMs":"1"}]}}}', "null"]) {
    writeFileSync(file, damaged);
    expect((await open("1.1.0", ["1.0.0"])).find("speed"), damaged).toBeUndefined();
  }
  await keep("1.0.0", 10);
  expect((await open("1.1.0", ["1.0.0"])).find("speed")).toMatchObject({ durationMs: 10 });
  const before = readFileSync(file, "utf8");
  await (await open(null)).keep([{ name: "speed", durationMs: 1, peakMemory: null }]);
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("the versions that were measured last are kept", async () => {
  const { file, keep } = await place();
  for (let minor = 0; minor < 52; minor++) await keep(`1.${minor}.0`, minor);
  await keep("1.2.0", 2);
  const kept = Object.keys(JSON.parse(readFileSync(file, "utf8")).agent.speed);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([50, "tag of 1.3.0", "tag of 1.2.0"]);
});
