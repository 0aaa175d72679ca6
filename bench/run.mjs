// `npm run bench [-- --only NAME --json]`: builds the program and the bench aside, so that a build of `dist` meanwhile does
// not matter, and measures.
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { buildProgram } from "../scripts/build.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cache = path.join(root, ".cache", "bench");
const program = path.join(cache, "program");

await buildProgram(path.join(program, "dist"));
writeFileSync(path.join(program, "git-kai-version.cjs"), `require("./dist/cli/git-kai-version.cjs");\n`);

const bench = path.join(cache, "bench");
rmSync(bench, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { main: "bench/main.ts", "hash-tree": "bench/hash-tree.ts" },
  outdir: bench,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  outExtension: { ".js": ".mjs" },
  banner: {
    js: 'import { createRequire as kaiCreateRequire } from "node:module";\nconst require = kaiCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
});
const { main } = await import(pathToFileURL(path.join(bench, "main.mjs")).href);
await main(process.argv.slice(2), { cache, program: path.join(program, "git-kai-version.cjs"), bench });
