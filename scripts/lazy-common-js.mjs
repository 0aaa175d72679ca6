// Turns the ES modules that esbuild makes into CommonJS in which a module is loaded when something of it is first used, instead of
// where it is imported: a command uses a part of what it imports. See docs/adr/0034.
import { transform } from "@swc/core";

/** As esbuild writes an import of a chunk of which nothing is named, so that it may run. Ours do nothing by being loaded. */
const BARE_IMPORT = /\bimport"\.{1,2}\/[^"]+";/g;
const SOURCE = /\bfrom"([^"]+)"/g;

/** What Node 20 runs as it is. */
const TARGET = "es2023";

/** The text of a module without white space, as esbuild gives it, turned into CommonJS. */
export async function asLazyCommonJs(text) {
  const module = text.replace(BARE_IMPORT, "");
  const sources = Array.from(module.matchAll(SOURCE), ([, source]) => source);
  const { code } = await transform(module, {
    configFile: false,
    swcrc: false,
    isModule: true,
    // White space alone: names stay.
    minify: true,
    jsc: {
      parser: { syntax: "ecmascript" },
      target: TARGET,
      minify: { compress: false, mangle: false, format: { comments: false } },
    },
    module: { type: "commonjs", lazy: [...new Set(sources)], strictMode: true },
  });
  return code;
}
