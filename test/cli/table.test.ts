import { expect, test } from "vitest";
import { formatTable } from "../../src/cli/table.js";

const ROWS = [
  ["restore_code", "\u001b[2mput 3 files in place by one commit\u001b[22m", "3 min"],
  ["stop", "/a/path/without/any/blank", "30 s"],
];

const table = (shrink: "cut" | "wrap", width: number): string =>
  formatTable([{ title: "STEP" }, { title: "WHAT", shrink }, { title: "AT MOST" }], ROWS, width);

test("where the terminal is narrow a column goes on in lines below, all of it in its colours", () => {
  expect(`\n${table("wrap", 37)}`).toBe(`
STEP          WHAT            AT MOST
restore_code  \u001b[2mput 3 files in\u001b[22m  3 min
              \u001b[2mplace by one\u001b[22m
              \u001b[2mcommit\u001b[22m
stop          /a/path/withou  30 s
              t/any/blank`);
});

test("or its cells are cut off", () => {
  expect(`\n${table("cut", 37)}`).toBe(`
STEP          WHAT            AT MOST
restore_code  put 3 files i…  3 min
stop          /a/path/witho…  30 s`);
});

test("of several that give way, the last does first", () => {
  const columns = [
    { title: "BY", shrink: "cut" as const },
    { title: "WHAT", shrink: "cut" as const },
  ];
  const row = ["Ada Lovelace of London", "sh -c 'echo something'"];
  expect(formatTable(columns, [row], 38).split("\n")[1]).toBe("Ada Lovelace of London  sh -c 'echo s…");
  expect(formatTable(columns, [row], 30).split("\n")[1]).toBe("Ada Lovelace of…  sh -c 'echo…");
  expect(formatTable(columns, [row], 10).split("\n")[1]).toBe("Ada Lovelac…  sh -c 'echo…");
});

test("a wide terminal, a pipe, and one that is too narrow for anything", () => {
  expect(table("wrap", 80)).toContain("put 3 files in place by one commit");
  expect(formatTable([{ title: "A", shrink: "cut" }], [["a ".repeat(99)]])).toContain("a a a a a a a a a");
  expect(table("wrap", 5).split("\n")[0]).toBe("STEP          WHAT          AT MOST");
});

test("characters that take two columns are counted as two", () => {
  const rows = [["日本語日本語日本語", "x"]];
  expect(formatTable([{ title: "A", shrink: "wrap" }, { title: "B" }], rows, 15)).toBe(
    "A             B\n日本語日本語  x\n日本語",
  );
});
