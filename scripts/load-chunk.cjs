// Runs the chunks of the bundled program as Node's `require` would, but by what V8 made of them when they were built, where that
// fits: to compile a command takes Node longer than all that the command then does. See docs/adr/0026.
"use strict";
const { readFileSync, statSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");

const CHUNKS = path.join(__dirname, "../chunks");
const COMPILED = path.join(__dirname, "../compiled", `${process.version}-${process.arch}`);

/** Each chunk that was asked for: what it exports, and the script that it is. */
const loaded = new Map();

/** The exports of a chunk; one that is asked for while it runs gives what it has so far. */
function loadChunk(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = path.join(CHUNKS, name);
  const text = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, "utf8")}\n})`;
  const script = new Script(text, { filename, cachedData: compiledOf(name, filename) });
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

/** Undefined where it is of another Node, or older than the chunk. Whether it is of this text and of this V8, V8 looks itself. */
function compiledOf(name, filename) {
  const file = path.join(COMPILED, name);
  const made = statSync(file, { throwIfNoEntry: false });
  return made && made.mtimeMs >= statSync(filename).mtimeMs ? readFileSync(file) : undefined;
}

module.exports = { loadChunk, loaded, CHUNKS, COMPILED };
