// `node compile-chunks.mjs LOADER`: runs each chunk of the program beside that loader, and keeps what V8 compiled for that. Chunks
// only say what there is, so that to run one does nothing; but then the functions by which they do are among what is kept.
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [loader] = process.argv.slice(2);
const { loadChunk, loaded, CHUNKS, COMPILED } = createRequire(import.meta.url)(path.resolve(loader));

const names = readdirSync(CHUNKS).filter((name) => name.endsWith(".cjs"));
for (const name of names) loadChunk(name);
mkdirSync(COMPILED, { recursive: true });
const others = path.dirname(COMPILED);
for (const name of readdirSync(others)) {
  if (name !== path.basename(COMPILED)) rmSync(path.join(others, name), { recursive: true });
}
for (const name of readdirSync(COMPILED)) if (!names.includes(name)) rmSync(path.join(COMPILED, name));
for (const name of names) {
  const file = path.join(COMPILED, name);
  writeFileSync(`${file}.new`, loaded.get(name).script.createCachedData());
  renameSync(`${file}.new`, file);
}
