import fc from "fast-check";
import semver from "semver";
import { expect, test } from "vitest";
import { compareNumbers, findNumber, parseNumber } from "../../src/version/number.js";
import { tagFormat, tagNameFor, versionOfTag } from "../../src/version/tag-name.js";

/** The examples of semver.org, section 11, lowest first. */
const IN_ORDER = [
  "1.0.0-alpha",
  "1.0.0-alpha.1",
  "1.0.0-alpha.beta",
  "1.0.0-beta",
  "1.0.0-beta.2",
  "1.0.0-beta.11",
  "1.0.0-rc.1",
  "1.0.0",
  "1.0.1",
  "1.2.0",
  "1.10.0",
  "2.0.0",
];

test("numbers are in the order of the specification", () => {
  const shuffled = [...IN_ORDER].reverse().map(parseNumber);
  expect(shuffled.sort(compareNumbers).map(({ text }) => text)).toEqual(IN_ORDER);
  expect(compareNumbers(parseNumber("1.0.0+a"), parseNumber("1.0.0+b"))).toBe(0);
});

test.each([
  "",
  "1",
  "1.0",
  "v1.0.0",
  "1.0.0.0",
  "01.0.0",
  "1.0.0-",
  "1.0.0-01",
  "1.0.0-a..b",
  " 1.0.0",
  "1.0.0 ",
  "1.0.x",
  "99999999999999999999.0.0",
])("%j is no version", (text) => {
  expect(findNumber(text)).toBeUndefined();
});

test("both forms are taken as an argument, and nothing is coerced", () => {
  expect(parseNumber("v1.2.3").text).toBe("1.2.3");
  expect(parseNumber("2.0.0-rc.1+build.5")).toMatchObject({ prerelease: ["rc", 1], build: ["build", "5"] });
  for (const text of ["1.2", "vv1.2.3", "latest"]) expect(() => parseNumber(text)).toThrow("is not a semantic version");
});

test("reading agrees with the semver library, whatever the text", () => {
  const part = fc.constantFrom(
    "0.0.0-",
    "1.2.3",
    "0",
    "1",
    "01",
    "12",
    "9007199254740991",
    "a",
    "rc",
    "-",
    ".",
    "+",
    "v",
    "",
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 3, maxLength: 12 }), (parts) => {
      const text = parts.join("");
      const expected = text.startsWith("v") ? null : semver.parse(text);
      const found = findNumber(text);
      expect(found?.text).toBe(expected?.raw);
      if (!expected || !found) return;
      const { major, minor, patch, prerelease, build } = expected;
      expect(found).toEqual({ major, minor, patch, prerelease: [...prerelease], build: [...build], text });
    }),
    { numRuns: 10_000 },
  );
});

test("comparing agrees with the semver library", () => {
  const number = fc
    .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom("", "-a", "-a.1", "-1", "-a.b", "-0"))
    .map(([major, minor, patch, rest]) => `${major}.${minor}.${patch}${rest}`);
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(Math.sign(compareNumbers(parseNumber(a), parseNumber(b)))).toBe(semver.compare(a, b));
    }),
  );
});

test.each([
  ["v{version}", "v1.4.0"],
  ["agent-{version}", "agent-1.4.0"],
  ["release/{version}", "release/1.4.0"],
  ["{version}-final", "1.4.0-final"],
])("under %s the tag is %s, and the other way round", (format, tag) => {
  expect(tagNameFor(parseNumber("1.4.0"), tagFormat(format))).toBe(tag);
  expect(versionOfTag(tag, tagFormat(format))).toMatchObject({ text: "1.4.0" });
});

test.each([
  ["v1.2.3.4", "'1.2.3.4' is not a semantic version"],
  ["v1.2", "'1.2' is not a semantic version"],
  ["nightly", "does not fit tag_format v{version}"],
  ["v", "'' is not a semantic version"],
])("the tag %s stands for no version, and why", (tag, reason) => {
  expect(versionOfTag(tag, tagFormat("v{version}"))).toEqual({ reason });
});
