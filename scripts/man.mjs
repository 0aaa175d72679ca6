// Writes docs/man/git-kai-version.1 from the descriptions of the commands. The build calls it; a test says when it is due.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = `${root}.cache/man.mjs`;
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

await build({
  absWorkingDir: root,
  stdin: {
    contents: `
      export { formatManPage } from "./src/cli/man/man-page.js";
      export { COMMANDS } from "./src/cli/commands/index.js";`,
    resolveDir: root,
  },
  outfile: bundle,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  logLevel: "warning",
});
try {
  const { formatManPage, COMMANDS } = await import(pathToFileURL(bundle).href);
  const commands = await Promise.all(COMMANDS.map(({ load }) => load()));
  mkdirSync(`${root}docs/man`, { recursive: true });
  writeFileSync(`${root}docs/man/git-kai-version.1`, formatManPage(commands, version));
} finally {
  rmSync(bundle);
}
