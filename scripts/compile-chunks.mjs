// `node compile-chunks.mjs LOADER`: writes the pack from which that loader takes the chunks of the program, with what V8 compiled of
// them. Chunks only say what there is, so that to run one does nothing.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import v8 from "node:v8";
import { Script } from "node:vm";

const [loader] = process.argv.slice(2);
const { loadChunk, loaded, wrapped, CHUNKS, PACK, LENGTH_DIGITS } = createRequire(import.meta.url)(
  path.resolve(loader),
);

/** Chunks with more are libraries, of most of which nothing is ever called: of them what running them compiles is kept. */
const LIBRARY = 100_000;

/** Every function of a chunk compiled, also those that are called when a command runs. */
function compileAll(name, text) {
  v8.setFlagsFromString("--no-lazy");
  const script = new Script(text, { filename: path.join(CHUNKS, name) });
  // What is kept is of the usual flags, or V8 would not take it.
  v8.setFlagsFromString("--lazy");
  return script;
}

function scriptOf(name, text) {
  if (text.length < LIBRARY) return compileAll(name, text);
  loadChunk(name);
  return loaded.get(name).script;
}

const table = {};
const parts = [];
let length = 0;
for (const name of readdirSync(CHUNKS).filter((each) => each.endsWith(".cjs"))) {
  const text = wrapped(readFileSync(path.join(CHUNKS, name), "utf8"));
  const [compiled, bytes] = [scriptOf(name, text).createCachedData(), Buffer.from(text)];
  table[name] = [length, bytes.length, compiled.length];
  parts.push(compiled, bytes);
  length += compiled.length + bytes.length;
}
const head = Buffer.from(JSON.stringify(table));
const folder = path.dirname(PACK);
mkdirSync(folder, { recursive: true });
writeFileSync(`${PACK}.new`, Buffer.concat([Buffer.from(String(head.length).padStart(LENGTH_DIGITS)), head, ...parts]));
renameSync(`${PACK}.new`, PACK);
for (const name of readdirSync(folder)) {
  if (name !== path.basename(PACK)) rmSync(path.join(folder, name), { recursive: true });
}
