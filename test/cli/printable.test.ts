import { expect, test } from "vitest";
import { printable, printableValue } from "../../src/cli/style.js";

test("a value is made printable as each of its texts is, whatever character makes it so", () => {
  for (let code = 0; code <= 0x2100; code++) {
    const text = `a${String.fromCharCode(code)}[31mb`;
    const made = { [printable(text)]: [null, 1, { deep: printable(text) }], at: new Date(0) };
    expect(printableValue({ [text]: [null, 1, { deep: text }], at: new Date(0) }), String(code)).toEqual(made);
  }
});

test("what no terminal acts on stays: backslashes, tabs, line feeds, letters of any language", () => {
  const value = { text: "C:\\users\\bin\\u001b\tand\nmore", other: "日本 é" };
  expect(printableValue(value)).toEqual(value);
  expect(printableValue("\u001b[31mred\u001b[0m\r")).toBe("red\\u000d");
});
