import fc from "fast-check";
import { expect, test } from "vitest";
import { maskText, StreamRedactor } from "../../src/snapshot/runs/redact.js";

/** What is told of each piece, and at the end. */
function toldOf(secrets: readonly string[], ...pieces: readonly string[]): string[] {
  const redactor = new StreamRedactor(secrets);
  return [...pieces.map((piece) => redactor.push(Buffer.from(piece)).toString()), redactor.end().toString()];
}

test("a secret is masked wherever it is cut, and nothing is held back but what may become one", () => {
  expect(toldOf(["secret"], "a prompt> ", "a sec", "ret here\n")).toEqual(["a prompt> ", "a ", "[secret] here\n", ""]);
  expect(toldOf(["secret"], "a sec", "ond\n")).toEqual(["a ", "second\n", ""]);
  expect(toldOf(["secret"], "ends in sec")).toEqual(["ends in ", "sec"]);
});

const KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\nAASC\n-----END KEY-----";

test("of one with several lines each line is masked, whatever stands before it", () => {
  expect(toldOf([KEY], KEY).join("")).toBe("[secret]");
  expect(
    toldOf([KEY], `INFO ${KEY.replaceAll("\n", "\nINFO ")}\n`)
      .join("")
      .split("\n"),
  ).toEqual(["INFO -----BEGIN KEY-----", "INFO [secret]", "INFO [secret]", "INFO AASC", "INFO -----END KEY-----", ""]);
  expect(maskText(KEY.replaceAll("\n", "\r\n"), [KEY])).toContain("[secret]\r\n[secret]\r\n");
});

test("one that begins or ends another is masked as the whole of it", () => {
  expect(toldOf(["abcd", "abcdef"], "abcd", "ef", "abcd").join("")).toBe("[secret][secret]");
  expect(toldOf(["xxab", "abcd"], "xxab", "cd").join("")).toBe("[secret]cd");
  expect(toldOf(["abcdef", "cdxx"], "abcd", "xx").join("")).toBe("ab[secret]");
});

test("the pieces that it comes in make no difference", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 4, maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c", "\n"), maxLength: 60 });
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 4 }), text, fc.array(fc.nat(60)), (secrets, whole, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
      const told = toldOf(secrets, ...pieces).join("");
      expect(told).toBe(toldOf(secrets, whole).join(""));
      for (const secret of secrets) expect(told.replaceAll("[secret]", "#")).not.toContain(secret);
    }),
  );
});
