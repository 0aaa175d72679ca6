import { copyFileSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { expect, test } from "vitest";
import { scratch } from "../support/scratch.js";

const LOADER = fileURLToPath(new URL("../../scripts/load-chunk.cjs", import.meta.url));
const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const MADE_FOR = `${process.version}-${process.arch}`;

const wrapped = (text: string): string => `(function(exports,require,module,__filename,__dirname){${text}\n})`;
const compiled = (text: string): Buffer => new Script(wrapped(text)).createCachedData();

/** A program of one chunk, whose compiled form says another word of the same length. */
function program({ chunk, form, age }: { chunk: string; form: Buffer; age: number }) {
  const { dir } = scratch();
  const write = (name: string, content: string | Buffer, seconds: number) => {
    const file = path.join(dir, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    utimesSync(file, seconds, seconds);
  };
  mkdirSync(path.join(dir, "cli"));
  copyFileSync(LOADER, path.join(dir, "cli/load-chunk.cjs"));
  write("chunks/word.cjs", chunk, 1_000_000);
  write(`compiled/${MADE_FOR}/word.cjs`, form, 1_000_000 - age);
  const { loadChunk } = createRequire(import.meta.url)(path.join(dir, "cli/load-chunk.cjs"));
  return loadChunk("word.cjs").word as string;
}

const chunk = 'exports.word = "text";';

test("a chunk is run by what was compiled of it, unless it was changed since", () => {
  const form = compiled('exports.word = "form";');
  expect(program({ chunk, form, age: 0 })).toBe("form");
  expect(program({ chunk, form, age: 1 })).toBe("text");
});

test("what is of another text, or damaged, is not taken", () => {
  expect(program({ chunk, form: compiled('exports.word = "longer";'), age: 0 })).toBe("text");
  expect(program({ chunk, form: Buffer.from("damaged"), age: 0 })).toBe("text");
});

test("chunks load each other, and what is Node's", () => {
  const { dir } = scratch();
  for (const folder of ["cli", "chunks"]) mkdirSync(path.join(dir, folder));
  copyFileSync(LOADER, path.join(dir, "cli/load-chunk.cjs"));
  writeFileSync(path.join(dir, "chunks/a.cjs"), 'exports.first = 1; exports.b = require("./b.cjs");');
  writeFileSync(
    path.join(dir, "chunks/b.cjs"),
    'exports.seen = { ...require("./a.cjs") }; exports.sep = require("node:path").sep;',
  );
  const { loadChunk } = createRequire(import.meta.url)(path.join(dir, "cli/load-chunk.cjs"));
  expect(loadChunk("a.cjs")).toEqual({ first: 1, b: { seen: { first: 1 }, sep: "/" } });
  expect(loadChunk("a.cjs")).toBe(loadChunk("a.cjs"));
  for (const _ of ["first", "again"]) expect(() => loadChunk("gone.cjs")).toThrow("ENOENT");
});

test("each chunk of the program is compiled for this Node, which takes it", () => {
  const chunks = readdirSync(path.join(DIST, "chunks")).filter((name) => name.endsWith(".cjs"));
  expect(readdirSync(path.join(DIST, "compiled", MADE_FOR)).sort()).toEqual(chunks.sort());
  const refused = chunks.filter((name) => {
    const cachedData = readFileSync(path.join(DIST, "compiled", MADE_FOR, name));
    const text = readFileSync(path.join(DIST, "chunks", name), "utf8");
    return new Script(wrapped(text), { cachedData }).cachedDataRejected !== false;
  });
  expect(refused).toEqual([]);
});
