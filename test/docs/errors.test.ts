import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../../src/error.js";

const ROOT = new URL("../../", import.meta.url).pathname;
const text = readFileSync(`${ROOT}docs/errors.md`, "utf8");

const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(path.join(ROOT, "src", file), "utf8"));

test("docs/errors.md has every code, with the title and the exit status that it has", () => {
  const described = [...text.matchAll(/^### (E\d+) (.+)\nExit (\d+)\./gm)].map(([, code, title, exit]) => [
    code,
    { title, exit: Number(exit) },
  ]);
  expect(Object.fromEntries(described)).toEqual(ERROR_CODES);
});

test("docs/errors.md has every problem that verify finds", () => {
  const found = sources.flatMap((source) =>
    [...source.matchAll(/(?:\bproblem\(|\{ ?code: |^\s+code: )"([a-z-]+)"/gm)].map(([, code]) => code),
  );
  const described = [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(found.length).toBeGreaterThan(15);
  for (const code of found) expect(described).toContain(code);
});

test("docs/errors.md has every outcome of a signature", () => {
  const declared = sources.flatMap((source) => {
    const union = /export type SignatureOutcome =([^;]*);/.exec(source)?.[1] ?? "";
    return [...union.matchAll(/"([a-z-]+)"/g)].map(([, outcome]) => outcome);
  });
  expect(declared).toContain("good");
  for (const outcome of declared) expect(text).toContain(`| \`${outcome}\` |`);
});
