import { expect, test } from "vitest";
import { parseAgentConfig } from "../../src/agent/parse-agent-config.js";
import { findExecutable } from "../../src/snapshot/ingest/executable-changes.js";

const foundBy = (run: string, paths: readonly string[]) => {
  const text = JSON.stringify({ agent_id: "ai.example.clerk", lifecycle: { start: { run } } });
  const config = parseAgentConfig(text, "kai.yaml");
  return findExecutable(paths, { before: config, after: config, onto: null, byGit: () => undefined }, []);
};

const marked = async (run: string, paths: readonly string[]) => (await foundBy(run, paths)).map(({ path }) => path);

/** Words that differ by a number at their end. */
function numbered(count: number, word: string): string {
  return Array.from({ length: count }, (_, index) => `${word}${index}`).join(" ");
}

test.each<[string, string, readonly string[]]>([
  ["a program's name again and again", "node ".repeat(25_000), []],
  ["names without their endings", `${"node ".repeat(500)}${numbered(15_000, "w")}`, ["free.txt", "sub/free.txt"]],
  ["a number of a program", `${"1".repeat(250_000)}x`, []],
  ["names of modules", numbered(1000, `arq ${"a.".repeat(120)}b`), ["free.txt", "sub/free.txt"]],
])("a command of %s, as long as a kai.yaml can hold, is judged at once", async (_, run, named) => {
  expect(await marked(run, ["free.txt", "sub/free.txt"])).toEqual(named);
});

test("patterns that cannot be compared with each name in seconds name them all", async () => {
  const paths = Array.from({ length: 1000 }, (_, index) => `${"a".repeat(240)}${index}`);
  const found = await foundBy(numbered(2200, `*${"a".repeat(100)}b`), paths);
  expect(found.length).toBeGreaterThan(900);
  expect(found.at(-1)).toEqual({
    path: paths.at(-1),
    reason: "lifecycle.start names too much to be looked at",
  });
});

test("paths of thousands of folders are looked up at once, whatever the names are", async () => {
  const folder = "a/".repeat(2000);
  const paths = Array.from({ length: 2000 }, (_, index) => `${folder}${index}`);
  expect(await marked(`./b ${folder}7 ./${"a/".repeat(1999)}b`, paths)).toEqual([`${folder}7`]);
});
