import { expect, test } from "vitest";
import { StreamSearch } from "../../src/snapshot/runs/redact.js";
import { holdsMarked, markSecret, type SecretMark, searchedTogether } from "../../src/snapshot/runs/secret-marks.js";

const markOf = (value: string): SecretMark => markSecret(value, Buffer.alloc(32, 7)) as SecretMark;

test("a marked value is found wherever it stands, and only it", () => {
  const mark = markOf("s3cr3t-\u00e9-token");
  for (const text of [
    "s3cr3t-\u00e9-token",
    "xs3cr3t-\u00e9-token",
    "s3cr3t-\u00e9-tokens",
    `${"s3cr3t".repeat(999)}-s3cr3t-\u00e9-token`,
  ])
    expect(holdsMarked(Buffer.from(text), [mark]), text).toBe(true);
  for (const text of ["", "s3cr3t", "s3cr3t-\u00e9-toke", "S3cr3t-\u00e9-token", "nekot-\u00e9-t3rc3s"])
    expect(holdsMarked(Buffer.from(text), [mark]), text).toBe(false);
});

test("it is found across pieces, however they are cut", () => {
  const bytes = Buffer.from("....a-long-token....");
  for (let cut = 0; cut <= bytes.length; cut++) {
    const search = new StreamSearch([], [markOf("a-long-token")]);
    expect(
      [bytes.subarray(0, cut), bytes.subarray(cut)].some((piece) => search.holds(piece)),
      String(cut),
    ).toBe(true);
  }
});

test("values of one length are found in one pass", () => {
  const marks = ["first-secret", "other-secret", "a third one"].map(markOf);
  expect(searchedTogether(marks).map((alike) => alike.length)).toEqual([2, 1]);
  const [alike = []] = searchedTogether(marks);
  expect(
    ["first-secret", "is other-secret.", "another-secre"].map((text) => holdsMarked(Buffer.from(text), alike)),
  ).toEqual([true, true, false]);
});

test("the same value is marked differently each time, and what could be guessed is not marked", () => {
  expect(markSecret("a-long-token")?.digest).not.toBe(markSecret("a-long-token")?.digest);
  expect(JSON.stringify(markOf("a-long-token"))).not.toContain("token");
  expect(markSecret("1234567")).toBeUndefined();
});
