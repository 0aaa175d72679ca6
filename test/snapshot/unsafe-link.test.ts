import { expect, test } from "vitest";
import { whyUnsafeLink } from "../../src/snapshot/ingest/unsafe-link.js";

const dots = ".".repeat(4000);

test("many links of thousands of dots are judged at once", () => {
  for (let link = 0; link < 30_000; link++) expect(whyUnsafeLink(`l${link}`, `${dots}x`)).toBeUndefined();
});

test("dots and blanks at the end of a name hide no repository", () => {
  expect(whyUnsafeLink("l", `.GIT${dots}/config`)).toBe("a link into a repository's own folder");
  expect(whyUnsafeLink("l", ".git . ./config")).toBe("a link into a repository's own folder");
  expect(whyUnsafeLink("l", `...git${dots}`)).toBeUndefined();
});
