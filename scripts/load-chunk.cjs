// Runs the chunks of the bundled program as Node's `require` would, but from one file that also has what V8 made of them when they
// were built, where that fits: to find and compile a command takes Node longer than all that the command then does. See docs/adr/0026.
"use strict";
const { fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");

const CHUNKS = path.join(__dirname, "../chunks");
const PACK = path.join(__dirname, "../compiled", `${process.version}-${process.arch}.pack`);

/** The pack begins with so many digits: the length of its table, JSON of [offset, length of the text, length of what was compiled]. */
const LENGTH_DIGITS = 8;
/** More than the table takes, so that one read has it. */
const TABLE_GUESS = 32 * 1024;
/** What takes longer may wait for others: for an agent that stops, for a command in a sandbox. */
const SHORT_MS = 250;

/** Each chunk that was asked for: what it exports, and the script that it is. */
const loaded = new Map();
const pack = openPack();
/** What was taken into memory, if anything was: all that the pack holds, or without one the texts of all chunks by their names. */
let keptPack;
let keptTexts;

/** The exports of a chunk; one that is asked for while it runs gives what it has so far. */
function loadChunk(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = path.join(CHUNKS, name);
  const { text, cachedData } = packed(name, filename) ?? { text: wrapped(keptTexts?.get(name) ?? textOf(name)) };
  const script = new Script(text, { filename, cachedData });
  const module = { exports: {} };
  loaded.set(name, { module, script });
  try {
    script.runInThisContext()(module.exports, requireFrom, module, filename, CHUNKS);
  } catch (cause) {
    // Who asks again is told again.
    loaded.delete(name);
    throw cause;
  }
  return module.exports;
}

const requireFrom = (id) => (id.startsWith(".") ? loadChunk(path.basename(id)) : require(id));

const textOf = (name) => readFileSync(path.join(CHUNKS, name), "utf8");

/** As Node wraps a module, so that what is its own stays its own. */
const wrapped = (text) => `(function(exports,require,module,__filename,__dirname){${text}\n})`;

/** Undefined where there is none for this Node, or what is there is none. */
function openPack() {
  try {
    const file = openSync(PACK, "r");
    const start = Buffer.allocUnsafe(TABLE_GUESS);
    const read = readSync(file, start, 0, start.length, 0);
    const begin = LENGTH_DIGITS + Number(start.latin1Slice(0, LENGTH_DIGITS));
    const table = begin <= read ? start : readFileSync(PACK);
    return { file, begin, made: fstatSync(file).mtimeMs, table: JSON.parse(table.latin1Slice(LENGTH_DIGITS, begin)) };
  } catch {
    return undefined;
  }
}

/**
 * Takes into memory what a command that lasts may still need: a program that is replaced while it runs must come to its end, and
 * parts of another one are of no use to it.
 */
const keepIfItLasts = () => setTimeout(keepAll, SHORT_MS).unref();

function keepAll() {
  try {
    if (pack === undefined) keptTexts = new Map(readdirSync(CHUNKS).map((name) => [name, textOf(name)]));
    else keptPack = readPack(0, fstatSync(pack.file).size - pack.begin);
  } catch {
    // Each is read when it is needed, as long as it is there.
  }
}

/** A buffer of its own: V8 wants it aligned. Undefined where there is less. */
function readPack(at, length) {
  const bytes = Buffer.allocUnsafeSlow(length);
  const read = keptPack?.copy(bytes, 0, at, at + length) ?? readSync(pack.file, bytes, 0, length, pack.begin + at);
  return read === length ? bytes : undefined;
}

/**
 * Undefined where there is none, or the chunk was changed since. One that is gone, as where a newer program takes this one's place,
 * is still in the pack, which was opened in time. Whether what was compiled is of this text and of this V8, V8 looks itself.
 */
function packed(name, filename) {
  const place = pack?.table[name];
  if (place === undefined) return undefined;
  if (keptPack === undefined && statSync(filename, { throwIfNoEntry: false })?.mtimeMs > pack.made) return undefined;
  const [at, textLength, compiledLength] = place;
  const bytes = readPack(at, textLength + compiledLength);
  if (bytes === undefined) return undefined;
  // What was compiled lies first, where it is aligned.
  return { text: bytes.utf8Slice(compiledLength), cachedData: bytes.subarray(0, compiledLength) };
}

module.exports = { loadChunk, keepIfItLasts, loaded, wrapped, CHUNKS, PACK, LENGTH_DIGITS };
