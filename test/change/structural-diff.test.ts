import fc from "fast-check";
import { expect, test } from "vitest";
import { diffConfiguration } from "../../src/change/structural-diff.js";
import { applyChanges } from "./apply-changes.js";

const yaml = (before: string | undefined, after: string | undefined) => diffConfiguration(before, after, "kai.yaml");
const json = (before: string | undefined, after: string | undefined) =>
  diffConfiguration(before, after, "a/config.json");

/** One line a change: `~ a.b: 1 -> 2 (3 -> 4)`. */
function told(diff: ReturnType<typeof yaml>): string[] {
  return diff.changes.map(({ kind, key, before, after, line }) => {
    const sign = { added: "+", removed: "-", changed: "~" }[kind];
    const values = [before, after].filter((value) => value !== undefined).map((value) => JSON.stringify(value));
    const lines = [line.before, line.after].filter((number) => number !== null);
    return `${sign} ${key}: ${values.join(" -> ")} (${lines.join(" -> ")})`;
  });
}

test("tells keys added, removed and changed, each with its line", () => {
  const before = "# settings\nmodel: small\nlimits:\n  memory: 1Gi\n  cpu: 2\nold: yes\n";
  const after = "limits: {cpu: 4, memory: 1Gi}\n\nmodel: small # the same\nretries: 3\n";
  expect(yaml(before, after)).toMatchObject({ path: "kai.yaml", format: "yaml" });
  expect(told(yaml(before, after))).toEqual(["~ limits.cpu: 2 -> 4 (5 -> 1)", '- old: "yes" (6)', "+ retries: 3 (4)"]);
});

test.each([
  ["key order", "a: 1\nb: 2\n", "b: 2\na: 1\n"],
  ["comments and blank lines", "a: 1\n", "# why\n\na: 1 # because\n"],
  ["flow or block", "a: [1, {b: c}]\n", "a:\n  - 1\n  - b: c\n"],
  ["quotes", "a: text\n", "a: 'text'\n"],
  ["anchors and aliases", "a: {x: 1}\nb: {x: 1}\n", "a: &a {x: 1}\nb: *a\n"],
  ["merge keys", "a: {x: 1, y: 2}\nb: {x: 1, y: 3}\n", "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n"],
  ["how a number is written", "a: 16\nb: 1.50\n", "a: 0x10\nb: 1.5\n"],
  ["CRLF", "a: 1\nb: |\n  x\n  y\n", "a: 1\r\nb: |\r\n  x\r\n  y\r\n"],
  ["an empty file and a comment", "", "# nothing\n"],
])("%s does not count in YAML", (_, before, after) => {
  expect(yaml(before, after)).toEqual({ path: "kai.yaml", format: "yaml", changes: [] });
});

test("formatting, comments and trailing commas do not count in JSON", () => {
  const relaxed = '// settings\n{\n  /* two */ "b": [2, ],\n  "a": 1.0,\n}\n';
  expect(json('{"a":1,"b":[2]}', relaxed)).toEqual({ path: "a/config.json", format: "json", changes: [] });
});

test("a key is quoted where it would be misread", () => {
  expect(told(json('{"a.b": {"": 1, "true": 1}}', '{"a.b": {"": 2, "true": 2}}'))).toEqual([
    '~ "a.b"."": 1 -> 2 (1 -> 1)',
    '~ "a.b"."true": 1 -> 2 (1 -> 1)',
  ]);
  expect(told(yaml("1: a\n", '"1": a\n'))).toEqual(['- 1: "a" (1)', '+ "1": "a" (1)']);
});

test("a change of type is told", () => {
  expect(yaml("port: 80\n", "port: '80'\n").changes).toEqual([
    {
      kind: "changed",
      key: "port",
      before: 80,
      after: "80",
      line: { before: 1, after: 1 },
      type: { before: "number", after: "string" },
    },
  ]);
  expect(yaml("a: !Ref x\n", "a: x\n").changes[0]?.type).toEqual({ before: "!Ref", after: "string" });
  expect(yaml("a: {b: 1}\n", "a: [1]\n").changes[0]?.type).toEqual({ before: "map", after: "list" });
});

test("large integers are compared by all their digits", () => {
  for (const diff of [json, yaml]) {
    expect(told(diff('{"a": 9007199254740993}', '{"a": 9007199254740992}'))).toEqual([
      '~ a: "9007199254740993" -> "9007199254740992" (1 -> 1)',
    ]);
  }
});

test("objects in a list are matched by their name, id or key", () => {
  const before = "tools:\n  - name: search\n    timeout: 5\n  - name: mail\n  - name: clock\n";
  const after = "tools:\n  - name: weather\n  - name: search\n    timeout: 9\n  - name: clock\n";
  expect(told(yaml(before, after))).toEqual([
    '- tools[1]: {"name":"mail"} (4)',
    '+ tools[0]: {"name":"weather"} (2)',
    "~ tools[1].timeout: 5 -> 9 (3 -> 4)",
  ]);
});

test("another order of the same named objects is one change", () => {
  const before = "steps: [{id: 1}, {id: 2}, {id: 3, x: a}]\n";
  const after = "steps: [{id: 3, x: b}, {id: 1}, {id: 2}]\n";
  expect(yaml(before, after).changes).toMatchObject([
    { kind: "changed", key: "steps", before: [1, 2, 3], after: [3, 1, 2], reordered: true },
    { kind: "changed", key: "steps[0].x", before: "a", after: "b" },
  ]);
});

test("other lists are compared by the least edit", () => {
  expect(told(yaml("a: [x, y, z]\n", "a: [w, x, z]\n"))).toEqual(['+ a[0]: "w" (1)', '- a[1]: "y" (1)']);
  expect(told(yaml("a: [x, [1, 2], z]\n", "a: [x, [1, 3], z]\n"))).toEqual(["~ a[1][1]: 2 -> 3 (1 -> 1)"]);
});

test("every document of a YAML stream counts", () => {
  expect(told(yaml("a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n"))).toEqual(["~ [1].b: 1 -> 2 (3 -> 3)"]);
  expect(told(yaml("a: 1\n", "a: 1\n---\nb: 2\n"))).toEqual(['+ [1]: {"b":2} (3)']);
});

test("a file that came or went is one change", () => {
  expect(told(yaml(undefined, "a: 1\n"))).toEqual(['+ : {"a":1} (1)']);
  expect(told(json('{"a": 1}', undefined))).toEqual(['- : {"a":1} (1)']);
  expect(yaml(undefined, undefined).changes).toEqual([]);
});

test("a very long value is cut", () => {
  const [change] = yaml(undefined, `a: ${"x".repeat(100_000)}\n`).changes;
  expect(change?.truncated).toBe(true);
  expect(String(change?.after).length).toBeLessThan(20_000);
});

test("a text without structure is compared line by line", () => {
  const diff = diffConfiguration("[a]\nx = 1\ny = 2\n", "[a]\nx = 3\ny = 2\nz = 4\n", "pyproject.toml");
  expect(diff).toMatchObject({ format: "text" });
  expect(diff.problem).toBeUndefined();
  expect(told(diff)).toEqual(['~ : "x = 1" -> "x = 3" (2 -> 2)', '+ : "z = 4" (4)']);
});

const bomb = Array.from({ length: 40 }, (_, n) => `a${n}: &a${n} [${n ? `*a${n - 1}, *a${n - 1}` : "x, x"}]`).join(
  "\n",
);

test.each([
  ["a key that is there twice", "a: 1\nb: 2\na: 3\n", "after, line 3: the key a is there twice"],
  ["a syntax error", "a: [1\n", /^after, line \d: .*flow/i],
  ["an alias without an anchor", "a: *b\n", "after, line 1: the alias *b has no anchor before it"],
  ["an alias inside its own anchor", "a: &a [*a]\n", "after, line 1: the alias *a has no anchor before it"],
  ["a bomb of aliases", bomb, /^after, line \d+: it stands for more than 1000000 values$/],
  ["deep nesting in flow style", "[".repeat(30_000), "after, line 1: it is nested deeper than 100 levels"],
  ["deep nesting in block style", "- ".repeat(5_000), "after, line 1: it is nested deeper than 100 levels"],
  ["a very long file", `a: ${"x".repeat(3_000_000)}`, "after: it is longer than 2 MiB"],
  ["a flood of tokens", `[${",".repeat(500_000)}]`, "after: it has more than 120000 tokens"],
  ["directives without a document", "%a\n%b\n", /^after, line \d: /],
  ["damaged UTF-8", "a: 1\nb: \uFFFD\n", "after, line 2: it is not UTF-8"],
  ["half a surrogate pair", "a: \uD800\n", "after, line 1: it is not UTF-8"],
  ["binary content", "a: \0\n", "after: it is binary"],
])("%s in YAML: compared as text, with the reason", (_, text, problem) => {
  const diff = yaml("a: 1\n", text);
  expect(diff.format).toBe("text");
  expect(diff.problem).toMatch(problem);
  expect(diff.changes).not.toEqual([]);
});

test.each([
  ["a key that is there twice", '{"a": 1,\n"a": 2}', "before, line 2: the key a is there twice"],
  ["a missing comma", '{"a": 1 "b": 2}', /^before, line 1: `,` or `}` was expected/],
  ["no value", "", "before, line 1: a value was expected, the end found"],
  ["a number as only other languages write it", "[01]", /^before, line 1: a value was expected, "01\]" found/],
  ["text after the end", "{}\n{}", /^before, line 2: the end was expected/],
  ["a bad escape", '["\\q"]', 'before, line 1: "\\q" is not a valid string'],
  ["an unclosed string", '{"a', /^before, line 1: a string in double quotes was expected/],
  ["deep nesting", "[".repeat(100_000), "before, line 1: it is nested deeper than 100 levels"],
])("%s in JSON: compared as text, with the reason", (_, text, problem) => {
  const diff = json(text, '{"a": 2}');
  expect(diff.format).toBe("text");
  expect(diff.problem).toMatch(problem);
});

test("a key named __proto__ is a key like any other", () => {
  const diff = json("{}", '{"__proto__": {"x": 1}, "a": {"__proto__": 2}}');
  expect(told(diff)).toEqual(['+ __proto__: {"x":1} (1)', '+ a: {"__proto__":2} (1)']);
});

const named = fc.uniqueArray(fc.constantFrom("p", "q", "r", "s"), { maxLength: 4 });
const { value: anyValue } = fc.letrec<{ value: unknown; named: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false, 0, 1, -7.25, 1e21, "", "x", "1", "a: b", "- c", "é\n"),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("named"),
    fc.dictionary(fc.constantFrom("a", "b", "c.d", "", "[0]", '"', "true", "1"), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
  named: named.chain((names) => fc.tuple(...names.map((name) => tie("value").map((value) => ({ name, value }))))),
}));

test("a file has no changes against itself, however it is laid out", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      expect(json(JSON.stringify(value), JSON.stringify(value, null, 2))).toMatchObject({
        format: "json",
        changes: [],
      });
      expect(yaml(JSON.stringify(value), JSON.stringify(value, null, 2))).toMatchObject({
        format: "yaml",
        changes: [],
      });
    }),
  );
});

test("the changes applied to what was before give what is after", () => {
  fc.assert(
    fc.property(anyValue, anyValue, (before, after) => {
      for (const diff of [json, yaml]) {
        const { changes } = diff(JSON.stringify(before), JSON.stringify(after, null, 1));
        expect(applyChanges(before, changes)).toEqual(after);
      }
    }),
    { numRuns: 100 },
  );
});

test("never throws, whatever the texts", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "a: ",
      "- ",
      "\n",
      "\n  ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&x ",
      "*x",
      "<<: ",
      "? ",
      "|\n",
      "--- ",
      "!!set ",
      "!!binary ",
      "%YAML 1.1\n",
      '"',
      "'",
      "#",
      "1",
      "!!omap ",
      "\t",
    ),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, text, (before, after) => {
      yaml(before, after);
      json(before, after);
      diffConfiguration(before, after, "x.ini");
    }),
    { numRuns: 100 },
  );
});
