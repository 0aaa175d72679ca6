import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.js";
import { formatManPage } from "../../src/cli/man/man-page.js";
import { proseRoff } from "../../src/cli/man/roff.js";
import { scratch } from "../support/scratch.js";

const ROOT = new URL("../../", import.meta.url).pathname;
const PAGE = `${ROOT}docs/man/git-kai-version.1`;

test("the man page is what the commands' descriptions make (`node scripts/man.mjs` writes it anew)", async () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
  const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
  expect(readFileSync(PAGE, "utf8")).toBe(formatManPage(commands, version));
});

test("man renders it without a warning, each command with its own heading", () => {
  const { env } = scratch();
  const { stdout, stderr, status } = spawnSync("man", ["--warnings", "-l", PAGE], {
    env: { ...env, MANWIDTH: "100" },
    encoding: "utf8",
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  const headings = stdout.split("\n").filter((line) => /^ {3}\S/.test(line));
  for (const { name } of COMMANDS) expect(headings.map((line) => line.trim())).toContain(name);
});

test("`git kai-version --help` opens it where bin/ is in PATH", () => {
  const { dir, env } = scratch();
  const help = execFileSync("git", ["kai-version", "--help"], {
    cwd: dir,
    env: { ...env, PATH: `${ROOT}bin:${env["PATH"]}`, MANPAGER: "cat" },
    encoding: "utf8",
  });
  expect(help).toContain("git-kai-version - versions, signed releases");
});

test("text of ours never becomes a request or an escape of roff", () => {
  expect(proseRoff(".so evil\n'br \\fB `--all -x`")).toBe("\\&.so evil\n\\(aqbr \\efB \\fB\\-\\-all \\-x\\fR");
});
