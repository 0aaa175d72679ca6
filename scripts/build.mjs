// Bundles the program: fewer files to open make it start faster than its sources with their libraries would.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Commands that share most of what they need come as one file: opening many costs more than reading a large one. */
const GROUPS = {
  reading: ["list", "log", "next", "show", "status", "verify"],
  writing: ["create", "init", "recover", "rollback", "undo"],
};

const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** Bundles the command-line programs and the library into `folder`; what earlier builds left there is removed afterwards. */
export async function buildProgram(folder) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: {
      "cli/git-kai-version": "src/cli/git-kai-version.ts",
      "cli/kai": "src/cli/kai.ts",
      index: "src/index.ts",
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    chunkNames: "chunks/[name]-[hash]",
    define: { KAI_PROGRAM_VERSION: JSON.stringify(version) },
    // CommonJS libraries call `require` for node's own modules.
    banner: {
      js: 'import { createRequire as kaiCreateRequire } from "node:module";\nconst require = kaiCreateRequire(import.meta.url);',
    },
    // Names stay, for whoever reads a stack trace.
    minifySyntax: true,
    minifyWhitespace: true,
    plugins: [groupCommands],
    legalComments: "linked",
    logLevel: "warning",
    metafile: true,
  });
  // Whoever runs the program meanwhile finds the old one or the new one, never none.
  const made = new Set(Object.keys(metafile.outputs).map((file) => path.resolve(root, file)));
  for (const entry of readdirSync(path.join(folder, "chunks"))) {
    const file = path.resolve(folder, "chunks", entry);
    if (!made.has(file)) rmSync(file);
  }
}

const groupCommands = {
  name: "group-commands",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/[a-z-]+\.js$/ }, ({ kind, importer, path: file }) => {
      if (kind !== "dynamic-import" || !importer.endsWith("/cli/commands/index.ts")) return undefined;
      const group = Object.keys(GROUPS).find((name) => GROUPS[name].includes(file.slice(2, -3)));
      return group && { path: group, namespace: "command-group" };
    });
    onLoad({ filter: /.*/, namespace: "command-group" }, ({ path: group }) => ({
      contents: GROUPS[group].map((name) => `export * from "./${name}.ts";`).join("\n"),
      resolveDir: `${root}src/cli/commands`,
    }));
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildProgram(`${root}dist`);
