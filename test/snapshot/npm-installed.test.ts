import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { NPM_INSTALLED } from "../../src/snapshot/image/npm-installed.js";
import { runProcess } from "../../src/system/process.js";
import { scratch } from "../support/scratch.js";

type Entry = Readonly<Record<string, unknown>>;

/** Writes what a build is given, and the folders of packages that are there; gives what runs in it. */
function folderOf(packages: Readonly<Record<string, Entry>>, there: readonly string[] = []) {
  const { dir, env } = scratch();
  writeFileSync(path.join(dir, "package.json"), JSON.stringify({ name: "a", version: "1.0.0", ...packages[""] }));
  writeFileSync(
    path.join(dir, "package-lock.json"),
    JSON.stringify({ name: "a", version: "1.0.0", lockfileVersion: 3, requires: true, packages }),
  );
  writeFileSync(path.join(dir, "installed.cjs"), NPM_INSTALLED);
  for (const name of there) mkdirSync(path.join(dir, name), { recursive: true });
  const run = (command: string) => runProcess({ file: "sh", args: ["-c", command], cwd: dir, env });
  const check = async (omitted = "") => {
    const { exitCode, stderr } = await run(`node installed.cjs "$(command -v npm)" "${omitted}"`);
    return { exitCode, said: stderr.toString() };
  };
  return { run, check };
}

const WELL = { exitCode: 0, said: "" };
const optional = (more: Entry = {}): Entry => ({ version: "1.0.0", optional: true, ...more });

test("what npm could not fetch is told, although npm says that all is well", async () => {
  const { run, check } = folderOf({
    "": { optionalDependencies: { dep: "1.0.0" } },
    "node_modules/dep": optional({ resolved: "http://127.0.0.1:1/dep.tgz" }),
  });
  expect((await run("npm ci --ignore-scripts --no-audit --fetch-retries=0")).exitCode).toBe(0);
  expect(await check()).toEqual({
    exitCode: 1,
    said: "npm left out node_modules/dep: it could not be fetched\n",
  });
  expect(await check("optional")).toEqual(WELL);
});

test.each<[string, Readonly<Record<string, Entry>>, string[], string[]]>([
  [
    "for another system, with what only that needs",
    {
      "": { optionalDependencies: { dep: "1" } },
      "node_modules/dep": optional({ os: ["none"], dependencies: { deep: "1" } }),
      "node_modules/deep": optional(),
    },
    [],
    [],
  ],
  [
    "for another processor, or another Node",
    {
      "": { optionalDependencies: { dep: "1", other: "1" } },
      "node_modules/dep": optional({ cpu: ["none"] }),
      "node_modules/other": optional({ engines: { node: "<1" } }),
    },
    [],
    [],
  ],
  [
    "not without one that does not fit",
    {
      "": { optionalDependencies: { dep: "1" } },
      "node_modules/dep": optional({ dependencies: { deep: "1" } }),
      "node_modules/dep/node_modules/deep": optional({ os: ["none"] }),
    },
    [],
    [],
  ],
  [
    "of a package that is there",
    {
      "": { dependencies: { dep: "1" } },
      "node_modules/dep": { version: "1.0.0", optionalDependencies: { here: "1", there: "1" } },
      "node_modules/here": optional({ os: [process.platform], cpu: [process.arch], engines: { node: ">=1" } }),
      "node_modules/there": optional({ os: [`!${process.platform}`] }),
    },
    ["node_modules/dep"],
    ["node_modules/here"],
  ],
  [
    "all there",
    { "": { optionalDependencies: { "@a/dep": "1" } }, "node_modules/@a/dep": optional() },
    ["node_modules/@a/dep"],
    [],
  ],
  ["of an old lock file", {}, [], []],
])("optional packages %s", async (_, packages, there, missing) => {
  const { check } = folderOf(packages, there);
  const said = `npm left out ${missing.join(", ")}: it could not be fetched\n`;
  expect(await check()).toEqual(missing.length === 0 ? WELL : { exitCode: 1, said });
});
