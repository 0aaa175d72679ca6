import path from "node:path";
import { build } from "esbuild";

/** Makes one file of a TypeScript program of a test, so that Node can run it in a process of its own. */
export async function bundle(entry: URL, folder: string): Promise<string> {
  const file = path.join(folder, `${path.basename(entry.pathname, ".ts")}.mjs`);
  await build({
    entryPoints: [entry.pathname],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return file;
}
