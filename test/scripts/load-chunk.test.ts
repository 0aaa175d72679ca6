import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const LOADER = fileURLToPath(new URL("../../scripts/load-chunk.cjs", import.meta.url));
const COMPILER = fileURLToPath(new URL("../../scripts/compile-chunks.mjs", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const MADE_FOR = `${process.version}-${process.arch}`;

type Loader = {
  readonly loadChunk: (name: string) => Record<string, unknown>;
  readonly keepIfItLasts: () => void;
};

/** A program of these chunks, and what packs them. */
function program(chunks: Readonly<Record<string, string>>) {
  const { dir } = scratch();
  for (const folder of ["cli", "chunks"]) mkdirSync(path.join(dir, folder));
  const loader = path.join(dir, "cli/load-chunk.cjs");
  copyFileSync(LOADER, loader);
  const write = (name: string, text: string) => writeFileSync(path.join(dir, "chunks", name), text);
  for (const [name, text] of Object.entries(chunks)) write(name, text);
  return {
    write,
    file: (name: string) => path.join(dir, "chunks", name),
    pack: path.join(dir, "compiled", `${MADE_FOR}.pack`),
    compile: () => execFileSync(process.execPath, [COMPILER, loader]),
    load: (): Loader => {
      const require = createRequire(import.meta.url);
      delete require.cache[require.resolve(loader)];
      return require(loader) as Loader;
    },
  };
}

test("a chunk is run from the pack, unless it was changed since", () => {
  const { file, pack, compile, load, write } = program({ "word.cjs": 'exports.word = "packed";' });
  compile();
  const { mtime } = statSync(pack);
  write("word.cjs", 'exports.word = "edited";');
  const [earlier, later] = [-1000, 1000].map((ms) => new Date(mtime.getTime() + ms)) as [Date, Date];
  utimesSync(file("word.cjs"), earlier, earlier);
  expect(load().loadChunk("word.cjs")["word"]).toBe("packed");
  utimesSync(file("word.cjs"), later, later);
  expect(load().loadChunk("word.cjs")["word"]).toBe("edited");
});

test("a program that is replaced while it runs goes on with its own chunks", () => {
  const { file, pack, compile, load } = program({ "first.cjs": "", "later.cjs": 'exports.word = "packed";' });
  compile();
  const { loadChunk } = load();
  loadChunk("first.cjs");
  rmSync(file("later.cjs"));
  rmSync(pack);
  expect(loadChunk("later.cjs")["word"]).toBe("packed");
});

test.each([
  ["with a pack", true],
  ["without one, as of another Node", false],
])("a program that lasts has in memory what it may need, whatever becomes of its files: %s", async (_how, isPacked) => {
  const { file, pack, compile, load } = program({ "first.cjs": "", "later.cjs": 'exports.word = "first";' });
  if (isPacked) compile();
  const { loadChunk, keepIfItLasts } = load();
  keepIfItLasts();
  await pause(500);
  // In place, as `cp` does.
  for (const each of [file("later.cjs"), ...(isPacked ? [pack] : [])]) writeFileSync(each, "another program");
  expect(loadChunk("later.cjs")["word"]).toBe("first");
});

test("a pack that is damaged, or of less than it says, is passed over", () => {
  const { pack, compile, load } = program({ "a.cjs": "exports.it = 1;", "b.cjs": "exports.it = 2;" });
  compile();
  const whole = readFileSync(pack);
  truncateSync(pack, whole.length - 1);
  expect(["a.cjs", "b.cjs"].map((name) => load().loadChunk(name)["it"])).toEqual([1, 2]);
  for (const damaged of ["", "99999999{", "no pack"]) {
    writeFileSync(pack, damaged);
    expect(load().loadChunk("a.cjs")["it"]).toBe(1);
  }
});

test("what packs it leaves no other pack behind", () => {
  const { pack, compile } = program({ "a.cjs": "" });
  mkdirSync(path.join(path.dirname(pack), "v20.0.0-x64"), { recursive: true });
  writeFileSync(path.join(path.dirname(pack), "v18.0.0-x64.pack"), "");
  compile();
  expect(readdirSync(path.dirname(pack))).toEqual([path.basename(pack)]);
});

test.each([
  ["packed", true],
  ["as they are", false],
])("chunks load each other, and what is Node's: %s", (_how, packed) => {
  const { compile, load, file } = program({
    "a.cjs": 'exports.first = 1; exports.b = require("./b.cjs"); exports.file = __filename;',
    "b.cjs": 'exports.seen = { ...require("./a.cjs") }; exports.sep = require("node:path").sep; exports.ä = "ö";',
  });
  if (packed) compile();
  const { loadChunk } = load();
  expect(loadChunk("a.cjs")).toEqual({
    first: 1,
    b: { seen: { first: 1 }, sep: "/", ä: "ö" },
    file: file("a.cjs"),
  });
  expect(loadChunk("a.cjs")).toBe(loadChunk("a.cjs"));
  for (const _ of ["first", "again"]) expect(() => loadChunk("gone.cjs")).toThrow("ENOENT");
});

test("each chunk of the program is in the pack for this Node, which takes what was compiled of it", () => {
  const names = readdirSync(path.join(DIST, "chunks")).filter((name) => name.endsWith(".cjs"));
  const bytes = readFileSync(path.join(DIST, "compiled", `${MADE_FOR}.pack`));
  const begin = 8 + Number(bytes.subarray(0, 8));
  const table = JSON.parse(bytes.subarray(8, begin).toString()) as Record<string, [number, number, number]>;
  expect(Object.keys(table).sort()).toEqual(names.sort());
  const refused = names.filter((name) => {
    const [at, textLength, compiledLength] = table[name] ?? [0, 0, 0];
    const cachedData = Buffer.from(bytes.subarray(begin + at, begin + at + compiledLength));
    const text = bytes.subarray(begin + at + compiledLength, begin + at + compiledLength + textLength).toString();
    if (!text.includes(readFileSync(path.join(DIST, "chunks", name), "utf8"))) return true;
    return new Script(text, { cachedData }).cachedDataRejected !== false;
  });
  expect(refused).toEqual([]);
});
