import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { runGitAround } from "../../src/git/run-git.js";
import { unquotePath } from "../../src/git/unquote-path.js";

for (const name of ["plain", 'with "quotes"', "back\\slash", "tab\tand bell\x07\x01", "Zoë"]) {
  test(`git prints a folder named ${JSON.stringify(name)} so that it is found again`, async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kai-quoted-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [lender, borrower] = [path.join(folder, name), path.join(folder, "borrower")];
    mkdirSync(lender);
    await runGitAround(lender, process.env, ["init", "--quiet"]);
    await runGitAround(folder, process.env, ["clone", "--quiet", "--shared", "--", lender, borrower]);
    const asked = ["-c", "core.quotePath=false", "count-objects", "--verbose"];
    const counted = (await runGitAround(borrower, process.env, asked)).toString();
    const told = /^alternate: (.*)$/m.exec(counted)?.[1] ?? "";
    expect(unquotePath(told)).toBe(path.join(lender, ".git/objects"));
  });
}
