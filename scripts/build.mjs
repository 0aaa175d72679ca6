// Bundles the program: fewer files to open make it start faster than its sources with their libraries would.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { asLazyCommonJs } from "./lazy-common-js.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const LOADER = "load-chunk.cjs";

const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

const SETTINGS = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  chunkNames: "chunks/[name]-[hash]",
  // Names stay, for whoever reads a stack trace.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "linked",
  logLevel: "warning",
  metafile: true,
};

/**
 * Bundles the command-line programs and the library into `folder`, and compiles what it can; what earlier builds left there is removed
 * afterwards.
 */
export async function buildProgram(folder) {
  const made = new Set([...(await buildCommandLine(folder)), ...(await buildLibrary(folder))]);
  // Whoever runs the program meanwhile finds the old one or the new one, never none.
  for (const name of ["chunks", "cli"]) {
    for (const entry of readdirSync(path.join(folder, name))) {
      const file = path.resolve(folder, name, entry);
      if (!made.has(file)) rmSync(file);
    }
  }
  const compiler = path.join(root, "scripts", "compile-chunks.mjs");
  execFileSync(process.execPath, [compiler, path.join(folder, "cli", LOADER)], { stdio: "inherit" });
}

/** CommonJS, which Node loads without its loader of ES modules: a third less to start; esbuild splits only ES modules. */
async function buildCommandLine(folder) {
  const { outputFiles } = await build({
    ...SETTINGS,
    entryPoints: { "cli/git-kai-version": "src/cli/git-kai-version.ts", "cli/kai": "src/cli/kai.ts" },
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    define: {
      KAI_PROGRAM_VERSION: JSON.stringify(version),
      KAI_CONFIG_READER: JSON.stringify(digestOf(["src/agent", "package-lock.json"])),
    },
    plugins: [withoutSubprograms],
    write: false,
  });
  const files = [[path.join(folder, "cli", LOADER), readFileSync(path.join(root, "scripts", LOADER), "utf8")]];
  for (const { path: file, text } of outputFiles) {
    const code = file.endsWith(".cjs") ? await asLazyCommonJs(text) : text;
    files.push([file, isProgram(file) ? byLoader(code) : code]);
  }
  // The programs last: what they load is there by then.
  files.sort(([a], [b]) => Number(isProgram(a)) - Number(isProgram(b)));
  for (const [file, content] of files) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  }
  return files.map(([file]) => path.resolve(file));
}

/** Of the files, and of all in the folders, of the project. */
function digestOf(places) {
  const hash = createHash("sha256");
  for (const place of places.flatMap(filesIn))
    hash
      .update(place)
      .update("\0")
      .update(readFileSync(root + place));
  return hash.digest("hex");
}

const filesIn = (place) =>
  statSync(root + place).isFile()
    ? [place]
    : readdirSync(root + place, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
        .sort();

const isProgram = (file) => /\/cli\/(?:git-kai-version|kai)\.cjs$/.test(file);

const byLoader = (code) =>
  `const { loadChunk, keepIfItLasts } = require("./${LOADER}");keepIfItLasts();${code.replace(/require\("\.\.\/chunks\/(.+?)"\)/g, 'loadChunk("$1")')}`;

async function buildLibrary(folder) {
  const { metafile } = await build({
    ...SETTINGS,
    entryPoints: { index: "src/index.ts" },
    outdir: folder,
    // CommonJS libraries call `require` for node's own modules.
    banner: {
      js: 'import { createRequire as kaiCreateRequire } from "node:module";\nconst require = kaiCreateRequire(import.meta.url);',
    },
  });
  return Object.keys(metafile.outputs).map((file) => path.resolve(root, file));
}

/** commander loads `child_process` for commands that are programs of their own. There are none here, and Node takes 2 ms to load it. */
const withoutSubprograms = {
  name: "without-subprograms",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes("/node_modules/commander/") ? { path: "child_process", namespace: "not-needed" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "not-needed" }, () => ({ contents: "" }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProgram(`${root}dist`);
