import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../../src/cli/commands/index.js";

const ROOT = new URL("../../", import.meta.url).pathname;

const documents = [
  ...readdirSync(ROOT).filter((file) => file.endsWith(".md")),
  ...readdirSync(`${ROOT}docs`, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => path.join("docs", file)),
];

const read = (file: string): string => readFileSync(path.join(ROOT, file), "utf8");

/** The heading's anchor as forges make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

const anchorsOf = (file: string): string[] =>
  [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

test("every link between the documents leads somewhere", () => {
  const broken: string[] = [];
  for (const file of documents) {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [name = "", anchor] = target.split("#");
      const there = name === "" ? file : path.join(path.dirname(file), name);
      if (!existsSync(path.join(ROOT, there))) broken.push(`${file}: ${target}`);
      else if (anchor !== undefined && !anchorsOf(there).includes(anchor)) broken.push(`${file}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test("README's table has every command, and no other", () => {
  const rows = read("README.md").matchAll(/^\| ((?:`[a-z ]+`(?:, )?)+) \|/gm);
  const listed = [...rows].flatMap(([, cell = ""]) => [...cell.matchAll(/`([a-z ]+)`/g)].map(([, name]) => name));
  expect(listed.sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
});

test("every page is reached from README", () => {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)\s#]+)/g)) {
      if (/^https?:/.test(target)) continue;
      const there = path.join(path.dirname(file), target);
      if (there.endsWith(".md") && existsSync(path.join(ROOT, there))) visit(there);
      // A link to a folder is one to all of its pages.
      else for (const page of documents) if (page.startsWith(`${there}/`)) visit(page);
    }
  };
  visit("README.md");
  expect(documents.filter((file) => !reached.has(file) && file !== "AGENTS.md")).toEqual([]);
});

test("commands that the documents name are there", () => {
  const names = new Set(COMMANDS.map(({ name }) => name));
  const groups = new Set([...names].filter((name) => name.includes(" ")).map((name) => name.split(" ")[0]));
  const unknown: string[] = [];
  for (const file of documents) {
    for (const [, first = "", second = ""] of read(file).matchAll(
      /(?:[`"]|[$<] ?\(?|^ {2,})git kai-version ([a-z]+)(?: ([a-z]+))?/gm,
    )) {
      const known = groups.has(first) ? names.has(`${first} ${second}`) : names.has(first) || first === "help";
      if (!known) unknown.push(`${file}: git kai-version ${first} ${second}`);
    }
  }
  expect(unknown).toEqual([]);
});
